#include "server/policy/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "server/policy/policy_reader.h"

namespace ferrite::policy {
namespace {

constexpr char kPolicy[] = R"(
roles:
  - {name: read_all, key_prefixes: [""], verbs: [read]}
  - {name: sessions, key_prefixes: ["session:"], verbs: [write, delete, scan, subscribe]}
  - {name: news, channels: [news], channel_prefixes: ["shop."], verbs: [publish, subscribe]}
  - {name: operators, verbs: [admin]}
bindings:
  - {principal: "uri:both", roles: [read_all, sessions]}
  - {principal: "uri:news", roles: [news]}
  - {principal: "uri:ops", roles: [operators]}
)";

class PolicyTest : public testing::Test {
 protected:
  const Policy policy_{*ReadPolicy(kPolicy, "policy.yaml")};
};

TEST_F(PolicyTest, RolesAddUp) {
  const Rights& rights = policy_.RightsOf("uri:both");
  EXPECT_TRUE(rights.MayOnKey(Verb::kRead, "anything"));
  EXPECT_TRUE(rights.MayOnKey(Verb::kRead | Verb::kWrite, "session:1"));
  EXPECT_FALSE(rights.MayOnKey(Verb::kRead | Verb::kWrite, "other:1"));
  EXPECT_TRUE(rights.MayOnKeysWith(Verb::kScan, "session:"));
  EXPECT_TRUE(rights.MayOnKeysWith(Verb::kScan, "session:ab"));
  EXPECT_FALSE(rights.MayOnKeysWith(Verb::kScan, "session"));
  EXPECT_FALSE(rights.MayOnKeysWith(Verb::kScan, ""));
  EXPECT_FALSE(rights.may_administer());
  EXPECT_FALSE(rights.MayOnChannel(Verb::kSubscribe, "session:1"));
  EXPECT_THAT(policy_.RolesOf("uri:both"), testing::ElementsAre("read_all", "sessions"));
}

TEST_F(PolicyTest, KeysAndChannelsAreNotTheSame) {
  const Rights& rights = policy_.RightsOf("uri:news");
  EXPECT_TRUE(rights.MayOnChannel(Verb::kPublish, "news"));
  EXPECT_FALSE(rights.MayOnChannel(Verb::kPublish, "news2"));
  EXPECT_TRUE(rights.MayOnChannelsWith(Verb::kSubscribe, "shop.eu"));
  EXPECT_FALSE(rights.MayOnKey(Verb::kSubscribe, "news"));
  EXPECT_TRUE(rights.MaySomewhere(Verb::kSubscribe));
  EXPECT_FALSE(rights.MaySomewhere(Verb::kRead));
}

TEST_F(PolicyTest, WhoIsNotBoundHasNoRights) {
  for (const char* who : {"anonymous", "uri:", "uri:bot", "uri:both2", ""}) {
    EXPECT_TRUE(policy_.RightsOf(who).empty()) << who;
  }
  EXPECT_FALSE(policy_.RightsOf("uri:ops").empty());
  EXPECT_TRUE(policy_.RightsOf("uri:ops").may_administer());
}

TEST_F(PolicyTest, ManyThreadsGetTheSame) {
  std::vector<const Rights*> found(8);
  std::vector<std::thread> threads;
  for (auto& each : found) {
    threads.emplace_back([this, &each] { each = &policy_.RightsOf("uri:both"); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Rights* each : found) EXPECT_EQ(each, found.front());
}

}  // namespace
}  // namespace ferrite::policy
