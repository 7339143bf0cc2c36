#include "server/access/subscription_wish.h"

#include <optional>

#include "server/events/glob.h"
#include "server/events/subscription_request.h"
#include "store/operation.h"

namespace ferrite {

using policy::Rights;
using policy::Verb;
using policy::Verbs;

SubscriptionWish::SubscriptionWish(const v1::SubscribeRequest& request)
    : with_values_(request.with_values()) {
  for (const std::string& name : request.channels()) {
    if (!name.empty()) Add(name, /*of_channel=*/true, /*of_prefix=*/false);
  }
  for (const std::string& text : request.channel_globs()) AddGlob(text);
  for (const std::string& name : request.keys()) {
    if (!name.empty()) Add(name, /*of_channel=*/false, /*of_prefix=*/false);
  }
  for (const std::string& name : request.key_prefixes()) {
    Add(name, /*of_channel=*/false, /*of_prefix=*/true);
  }
  names_.shrink_to_fit();
  wanted_.shrink_to_fit();
}

void SubscriptionWish::AddGlob(const std::string& text) {
  if (text.empty() || text.size() > Glob::kMaxBytes) return;
  const std::optional<Glob> glob = Glob::Parse(text);
  if (glob.has_value()) Add(glob->literal_prefix(), /*of_channel=*/true, !glob->IsLiteral());
}

void SubscriptionWish::Add(std::string_view name, bool of_channel, bool of_prefix) {
  // So its size has a bound whatever the request is.
  if (name.size() > kMaxKeyBytes || wanted_.size() == kMaxTopics) return;
  names_.append(name);
  wanted_.push_back({.end = static_cast<uint32_t>(names_.size()) & ((1u << 30) - 1),
                     .of_channel = of_channel,
                     .of_prefix = of_prefix});
}

bool SubscriptionWish::AllowedBy(const Rights& rights) const {
  if (!rights.MaySomewhere(Verb::kSubscribe)) return false;
  size_t begin = 0;
  for (const Wanted& wanted : wanted_) {
    const std::string_view name(names_.data() + begin, wanted.end - begin);
    if (!AllowedBy(rights, wanted, name)) return false;
    begin = wanted.end;
  }
  return true;
}

bool SubscriptionWish::AllowedBy(const Rights& rights, const Wanted& wanted,
                                 std::string_view name) const {
  constexpr Verbs kSubscribe = Verb::kSubscribe;
  if (wanted.of_channel) {
    return wanted.of_prefix ? rights.MayOnChannelsWith(kSubscribe, name)
                            : rights.MayOnChannel(kSubscribe, name);
  }
  const Verbs on_keys = with_values_ ? kSubscribe | Verb::kRead : kSubscribe;
  return wanted.of_prefix ? rights.MayOnKeysWith(on_keys, name) : rights.MayOnKey(on_keys, name);
}

}  // namespace ferrite
