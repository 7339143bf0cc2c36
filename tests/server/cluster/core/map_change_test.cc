#include "server/cluster/core/map_change.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/cluster/cluster_map.h"
#include "tests/server/cluster/core/listing_of.h"
#include "tests/server/cluster/map_of.h"

namespace ferrite::cluster {
namespace {

using internal::v1::ClusterMap;
using ::testing::ElementsAre;

// "a 0-8191, b>c 8192-16383": owners, and where slots go that are released.
std::string Shown(const ClusterMap& map) {
  std::string text;
  for (const auto& range : map.ranges()) {
    if (!text.empty()) text += ", ";
    text += map.members(static_cast<int>(range.owner())).node_id();
    if (range.releasing_since() != 0)
      text += ">" + map.members(static_cast<int>(range.next_owner())).node_id();
    text += " " + std::to_string(range.first()) + "-" + std::to_string(range.last());
  }
  return text;
}

class MapChangeTest : public ::testing::Test {
 protected:
  std::optional<MapChange> Next(const ClusterMap& map, bool may_move = true) {
    auto change = NextMap(map, listing_, gone_, may_move, /*tag=*/5, faults_);
    if (!change) return change;
    EXPECT_TRUE(CheckClusterMap(change->map).ok()) << CheckClusterMap(change->map);
    EXPECT_EQ(change->map.generation(), map.generation() + 1);
    EXPECT_EQ(change->map.recent_tags(0), 5u);
    EXPECT_EQ(change->map.recent_tags(1), map.recent_tags(0));
    return change;
  }

  Listing listing_;
  GoneOwners gone_;
  Faults faults_;
};

TEST_F(MapChangeTest, TheFirstMapSharesAllSlots) {
  EXPECT_FALSE(FirstMap(listing_, 77, 0, 5));
  AddNode(&listing_, "a", 1);
  AddNode(&listing_, "b", 2);
  AddNode(&listing_, "c", 3).node = nullptr;  // cannot be read
  AddNode(&listing_, "d", 4, 10, /*draining=*/true);
  const auto change = FirstMap(listing_, 77, 9, 5);
  ASSERT_TRUE(change);
  EXPECT_EQ(Shown(change->map), "a 0-8191, b 8192-16383");
  EXPECT_EQ(change->map.version_floor(), 9u);
  EXPECT_EQ(change->map.cluster_uid(), 77u);
  EXPECT_EQ(change->map.members(0).boot_id(), 1u);
}

TEST_F(MapChangeTest, WhatIsAsItShouldBeStays) {
  AddNode(&listing_, "a", 1);
  AddNode(&listing_, "b", 2);
  EXPECT_FALSE(Next(MapOf({0, 1})));
}

TEST_F(MapChangeTest, SlotsOfNodesThatLiveGoInTwoSteps) {
  AddNode(&listing_, "a", 1);
  AddNode(&listing_, "b", 2);
  const ClusterMap alone = MapOf({0});
  EXPECT_FALSE(Next(alone, /*may_move=*/false));
  const auto begun = Next(alone);
  ASSERT_TRUE(begun);
  EXPECT_EQ(Shown(begun->map), "a 0-8191, a>b 8192-16383");
  EXPECT_EQ(begun->slots_releasing, 8192u);
  EXPECT_EQ(begun->map.ranges(1).releasing_since(), 10u);
  // Not acknowledged; or only what was released before.
  EXPECT_FALSE(Next(begun->map));
  listing_.nodes["a"].released_generation = 9;
  EXPECT_FALSE(Next(begun->map));
  listing_.nodes["a"].released_generation = 10;
  listing_.nodes["a"].released_version = 1234;
  // What has been begun goes on, also when nothing new may.
  const auto given = Next(begun->map, /*may_move=*/false);
  ASSERT_TRUE(given);
  EXPECT_EQ(Shown(given->map), "a 0-8191, b 8192-16383");
  EXPECT_EQ(given->map.ranges(1).owned_since(), 11u);
  EXPECT_EQ(given->map.ranges(0).owned_since(), 1u);
  EXPECT_EQ(given->map.version_floor(), 1234u);
  EXPECT_EQ(given->slots_given, 8192u);
}

TEST_F(MapChangeTest, WhatIsReleasedForANodeThatGoesIsKept) {
  AddNode(&listing_, "a", 1);
  AddNode(&listing_, "b", 2);
  const auto begun = Next(MapOf({0}));
  ASSERT_TRUE(begun);
  listing_.nodes.erase("b");
  listing_.nodes["a"].released_generation = 10;
  const auto kept = Next(begun->map);
  ASSERT_TRUE(kept);
  EXPECT_EQ(Shown(kept->map), "a 0-16383");
  EXPECT_EQ(kept->map.ranges(0).owned_since(), 1u);
  EXPECT_EQ(kept->map.members_size(), 1);
  // Released again, it has to be acknowledged again.
  AddNode(&listing_, "b", 2);
  const auto again = Next(kept->map);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->map.ranges(1).releasing_since(), 12u);
  EXPECT_FALSE(Next(again->map));
}

TEST_F(MapChangeTest, SlotsOfNodesThatAreGoneGoInOne) {
  AddNode(&listing_, "a", 1);
  AddNode(&listing_, "c", 3);
  const ClusterMap map = MapOf({0, 1, 2});
  EXPECT_FALSE(Next(map));  // not ready
  gone_[{"b", 2}] = {.compares = {etcdserverpb::Compare()}, .floor = 500};
  const auto change = Next(map, /*may_move=*/false);
  ASSERT_TRUE(change);
  // What somebody had stays what it was; what they got is new.
  EXPECT_EQ(Shown(change->map), "a 0-5460, a 5461-8191, c 8192-10921, c 10922-16383");
  EXPECT_EQ(change->map.ranges(0).owned_since(), 1u);
  EXPECT_EQ(change->map.ranges(1).owned_since(), 10u);
  EXPECT_EQ(change->map.version_floor(), 500u);
  EXPECT_EQ(change->compares.size(), 1u);
  EXPECT_EQ(change->map.members_size(), 2);
}

TEST_F(MapChangeTest, SlotsOfAPredecessorGoToTheSameNode) {
  AddNode(&listing_, "a", 1);
  AddNode(&listing_, "b", 22);
  AddNode(&listing_, "c", 3);
  gone_[{"b", 2}] = {.floor = 500};
  const auto change = Next(MapOf({0, 1, 2}));
  ASSERT_TRUE(change);
  EXPECT_EQ(Shown(change->map), "a 0-5460, b 5461-10921, c 10922-16383");
  EXPECT_EQ(change->map.members(1).boot_id(), 22u);
  EXPECT_EQ(change->slots_given, 5461u);
}

TEST_F(MapChangeTest, ADrainingNodeGivesAllAndGetsNothing) {
  AddNode(&listing_, "a", 1, 10, /*draining=*/true);
  AddNode(&listing_, "b", 2);
  const auto change = Next(MapOf({0, 1}));
  ASSERT_TRUE(change);
  EXPECT_EQ(Shown(change->map), "a>b 0-8191, b 8192-16383");
  listing_.nodes["b"].node = nullptr;
  EXPECT_FALSE(Next(MapOf({0, 1})));  // nobody is left
}

TEST_F(MapChangeTest, TagsGoBackAsFarAsTheyMay) {
  AddNode(&listing_, "a", 1);
  AddNode(&listing_, "b", 2);
  ClusterMap map = MapOf({0});
  while (map.recent_tags_size() < kMaxTags) map.add_recent_tags(1);
  const auto change = Next(map);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->map.recent_tags_size(), kMaxTags);
}

}  // namespace
}  // namespace ferrite::cluster
