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

  // Of what `whole` allows, which must outlive it, only what the role does as well.
  static Rights PartOf(const Rights* whole, const Role& role);

  // Before Compile(), which is to be called once.
  void Add(const Role& role);
  void Compile();

  // Whether all of `verbs` are allowed on the key; each may come from another role.
  bool MayOnKey(Verbs verbs, std::string_view key) const {
    return keys_.Of(key, verbs).Have(verbs) && (whole_ == nullptr || whole_->MayOnKey(verbs, key));
  }
  // The same on every key with that prefix, whether it exists or not.
  bool MayOnKeysWith(Verbs verbs, std::string_view prefix) const {
    return keys_.OfAllWith(prefix).Have(verbs) &&
           (whole_ == nullptr || whole_->MayOnKeysWith(verbs, prefix));
  }
  bool MayOnChannel(Verbs verbs, std::string_view channel) const {
    return channels_.Of(channel, verbs).Have(verbs) &&
           (whole_ == nullptr || whole_->MayOnChannel(verbs, channel));
  }
  bool MayOnChannelsWith(Verbs verbs, std::string_view prefix) const {
    return channels_.OfAllWith(prefix).Have(verbs) &&
           (whole_ == nullptr || whole_->MayOnChannelsWith(verbs, prefix));
  }
  // The same about the node.
  bool MayOnNode(Verbs verbs) const { return on_node_.Have(verbs); }
  bool may_administer() const { return MayOnNode(Verb::kAdmin); }
  // Whether what is scanned, listed or told is to be shown without names and values.
  bool redacted() const { return redacted_; }

  // Each of the verbs is allowed on something, though not all on the same.
  bool MaySomewhere(Verbs verbs) const { return all_.Have(verbs); }
  // Nothing is allowed, or only to read metrics, for which nothing else has to be known.
  bool empty() const { return all_.empty(); }
  Verbs all() const { return all_; }

 private:
  NameSet keys_;
  NameSet channels_;
  Verbs on_node_;
  bool redacted_ = false;
  Verbs all_;
  const Rights* whole_ = nullptr;  // of which this is a part
};

}  // namespace ferrite::policy
