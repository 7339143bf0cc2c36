// What is offered for a word that there is not.

#include "client/cli/suggestion.h"

#include <gmock/gmock.h>

namespace ferrite::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(NearestTest, AreTheNearestOnly) {
  const std::vector<std::string> known = {"get", "set", "mget", "stats", "subscribe", "slowlog"};
  EXPECT_THAT(Nearest("gte", known), ElementsAre("get"));
  EXPECT_THAT(Nearest("GET", known), ElementsAre("get"));
  EXPECT_THAT(Nearest("stat", known), ElementsAre("stats"));
  EXPECT_THAT(Nearest("subscirbe", known), ElementsAre("subscribe"));
  EXPECT_THAT(Nearest("slow", known), ElementsAre("slowlog"));
  EXPECT_THAT(Nearest("jet", known), ElementsAre("get", "set"));
  EXPECT_THAT(Nearest("frobnicate", known), IsEmpty());
  EXPECT_THAT(Nearest("x", known), IsEmpty());
}

TEST(InsteadTest, KnowsOtherCommandLines) {
  EXPECT_EQ(InsteadOfCommand("KEYS"), "ferrite scan PREFIX");
  EXPECT_EQ(InsteadOfCommand("frobnicate"), "");
  EXPECT_EQ(InsteadOfArgument("set", "5m"), "--ttl 5m");
  EXPECT_EQ(InsteadOfArgument("set", "NX"), "--if-absent");
  EXPECT_EQ(InsteadOfArgument("set", "--ex=5"), "--ttl 10s");
  EXPECT_EQ(InsteadOfArgument("set", "whatever"), "");
  EXPECT_EQ(InsteadOfArgument("set", "-v"), "-- -v");
  EXPECT_EQ(InsteadOfArgument("set", "--valeu"), "");
  EXPECT_EQ(InsteadOfArgument("ttl", "5m"), "");
}

}  // namespace
}  // namespace ferrite::cli
