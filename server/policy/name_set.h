#pragma once

// Which verbs are allowed on which names (keys or channels): a set of prefixes and of whole names,
// made for being asked often.
//
// They lie in the order of their bytes, and each prefix knows the longest one that it begins with.
// So the longest prefix of a name is the last entry that is not after the name, or one of those
// that this begins with. Each entry has the verbs of all that it begins with, too: no rule takes
// anything away, so the longest one says it all. The first eight bytes of each lie together, as a
// number, which is what most comparisons need.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/policy/verb.h"

namespace ferrite::policy {

// The first 16 bytes of a name, as a number that has their order.
__extension__ using NameHead = unsigned __int128;

// Immutable once compiled. Thread-safe then.
class NameSet {
 public:
  // Allows verbs on a name, or on all names with a prefix. Before Compile().
  void AddName(std::string_view name, Verbs verbs) { Add(name, {}, verbs); }
  void AddPrefix(std::string_view prefix, Verbs verbs) { Add(prefix, verbs, verbs); }
  // To be called once, after what was added.
  void Compile();

  // The verbs that are allowed on the name; at least those that are asked for, if they are allowed.
  Verbs Of(std::string_view name, Verbs asked) const {
    if (on_all_.Have(asked)) return on_all_;
    return Find(name);
  }
  // The verbs that are allowed on every name with that prefix.
  Verbs OfAllWith(std::string_view prefix) const;
  // Those that are allowed on any name at all.
  Verbs on_some() const { return on_some_; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Entry {
    std::string text;
    Verbs on_prefix;  // on all names that begin with it
    Verbs on_name;    // on itself
    uint32_t parent = kNone;
  };

  void Add(std::string_view text, Verbs on_prefix, Verbs on_name);
  Verbs Find(std::string_view name) const;
  // The longest entry that the name begins with; null if there is none.
  const Entry* Longest(std::string_view name) const;

  std::vector<Entry> entries_;  // by text
  std::vector<NameHead> heads_;
  Verbs on_all_;
  Verbs on_some_;
};

}  // namespace ferrite::policy
