#include "server/access/subscription_wish.h"

#include <gtest/gtest.h>

#include <string>

#include "server/events/subscription_request.h"
#include "server/policy/policy.h"
#include "store/operation.h"

namespace ferrite {
namespace {

policy::Rights RightsOf(const policy::Role& role) {
  policy::Rights rights;
  rights.Add(role);
  rights.Compile();
  return rights;
}

TEST(SubscriptionWish, EachNameIsAskedFor) {
  const policy::Rights rights = RightsOf({.keys = {"key"},
                                          .key_prefixes = {"own:"},
                                          .channels = {"news"},
                                          .channel_prefixes = {"own."},
                                          .verbs = policy::Verb::kSubscribe});
  v1::SubscribeRequest request;
  request.add_channels("news");
  request.add_channels("own.x");
  request.add_channel_globs("own.*");
  request.add_channel_globs("news");
  request.add_keys("key");
  request.add_key_prefixes("own:a");
  EXPECT_TRUE(SubscriptionWish(request).AllowedBy(rights));
  using Change = void (*)(v1::SubscribeRequest*);
  for (const Change change : {Change{[](auto* wish) { wish->add_channels("other"); }},
                              Change{[](auto* wish) { wish->add_channel_globs("n*"); }},
                              Change{[](auto* wish) { wish->add_keys("own"); }},
                              Change{[](auto* wish) { wish->add_key_prefixes("key"); }},
                              Change{[](auto* wish) { wish->set_with_values(true); }}}) {
    v1::SubscribeRequest more = request;
    change(&more);
    EXPECT_FALSE(SubscriptionWish(more).AllowedBy(rights)) << more.ShortDebugString();
  }
  EXPECT_FALSE(SubscriptionWish(request).AllowedBy(policy::Rights()));
}

// All of a request once stayed as long as its stream.
TEST(SubscriptionWish, KeepsNamesOnlyAndNoMoreThanThereMayBe) {
  v1::SubscribeRequest request;
  request.add_channels("news");
  const uint64_t usual = SubscriptionWish(request).memory_bytes();
  request.set_resume_token(std::string(1 << 20, 't'));
  request.set_probe_channel(std::string(1 << 20, 'p'));
  for (int i = 0; i < 100'000; ++i) request.add_key_event_kinds(v1::KEY_EVENT_KIND_SET);
  request.add_channels(std::string(1 << 20, 'c'));
  request.add_channel_globs(std::string(1 << 20, 'g'));
  EXPECT_LE(SubscriptionWish(request).memory_bytes(), usual + 64);
  request.Clear();
  for (int i = 0; i < 100'000; ++i) request.add_key_prefixes(std::string(64, 'k'));
  EXPECT_LE(SubscriptionWish(request).memory_bytes(), kMaxTopics * (64 + 16) * 2);
}

}  // namespace
}  // namespace ferrite
