#include "server/policy/rights.h"

#include <string>

#include "server/policy/policy.h"

namespace ferrite::policy {

void Rights::Add(const Role& role) {
  const Verbs on_keys = role.verbs & kVerbsOfKeys;
  for (const std::string& key : role.keys) keys_.AddName(key, on_keys);
  for (const std::string& prefix : role.key_prefixes) keys_.AddPrefix(prefix, on_keys);
  const Verbs on_channels = role.verbs & kVerbsOfChannels;
  for (const std::string& channel : role.channels) channels_.AddName(channel, on_channels);
  for (const std::string& prefix : role.channel_prefixes) channels_.AddPrefix(prefix, on_channels);
  on_node_ |= role.verbs & kVerbsOfNode;
  redacted_ |= role.redacted;
}

void Rights::Compile() {
  keys_.Compile();
  channels_.Compile();
  all_ = keys_.on_some() | channels_.on_some();
  if (may_administer()) all_ |= Verb::kAdmin;
  if (whole_ == nullptr) return;
  all_ = all_ & whole_->all_;
  on_node_ = on_node_ & whole_->on_node_;
  redacted_ |= whole_->redacted_;
}

Rights Rights::PartOf(const Rights* whole, const Role& role) {
  Rights part;
  part.whole_ = whole;
  part.Add(role);
  part.Compile();
  return part;
}

}  // namespace ferrite::policy
