#pragma once

// All that one principal may do: the roles that it is bound to, made into one answer.

#include <string_view>

#include "server/policy/name_set.h"
#include "server/policy/verb.h"

namespace ferrite::policy {

struct Role;

// Immutable once made. Thread-safe.
class Rights {
 public:
  // None at all.
  Rights() = default;

  // Before Compile(), which is to be called once.
  void Add(const Role& role);
  void Compile();

  // Whether all of `verbs` are allowed on the key; each may come from another role.
  bool MayOnKey(Verbs verbs, std::string_view key) const {
    return keys_.Of(key, verbs).Have(verbs);
  }
  // The same on every key with that prefix, whether it exists or not.
  bool MayOnKeysWith(Verbs verbs, std::string_view prefix) const {
    return keys_.OfAllWith(prefix).Have(verbs);
  }
  bool MayOnChannel(Verbs verbs, std::string_view channel) const {
    return channels_.Of(channel, verbs).Have(verbs);
  }
  bool MayOnChannelsWith(Verbs verbs, std::string_view prefix) const {
    return channels_.OfAllWith(prefix).Have(verbs);
  }
  // The same about the node.
  bool MayOnNode(Verbs verbs) const { return on_node_.Have(verbs); }
  bool may_administer() const { return MayOnNode(Verb::kAdmin); }

  // Each of the verbs is allowed on something, though not all on the same.
  bool MaySomewhere(Verbs verbs) const { return all_.Have(verbs); }
  // Nothing is allowed, or only to read metrics, for which nothing else has to be known.
  bool empty() const { return all_.empty(); }
  Verbs all() const { return all_; }

 private:
  NameSet keys_;
  NameSet channels_;
  Verbs on_node_;
  Verbs all_;
};

}  // namespace ferrite::policy
