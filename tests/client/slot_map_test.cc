#include "client/slot_map.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ferrite {
namespace {

// SlotOf("foo") == 12182, SlotOf("bar") == 5061, SlotOf("hello") == 866.
constexpr char kHighKey[] = "foo";
constexpr char kMiddleKey[] = "bar";
constexpr char kLowKey[] = "hello";

SlotMap MapOf(std::vector<std::string> addresses, const std::vector<SlotRange>& ranges) {
  auto map = SlotMap::Create(std::move(addresses), ranges);
  EXPECT_TRUE(map.ok()) << map.status();
  return *std::move(map);
}

SlotMap ThreeNodes() {
  return MapOf({"a:1", "b:1", "c:1"}, {{.first = 0, .last = 4999, .node = 0},
                                       {.first = 5000, .last = 9999, .node = 1},
                                       {.first = 10000, .last = kSlotCount - 1, .node = 2}});
}

std::vector<BatchPart> Split(const SlotMap& map, const std::vector<std::string>& keys) {
  return SplitByNode(map, static_cast<int>(keys.size()),
                     [&](int i) -> std::string_view { return keys[i]; });
}

TEST(SlotMapTest, SingleNodeOwnsEverySlot) {
  const SlotMap map = SlotMap::SingleNode("127.0.0.1:6380");
  ASSERT_EQ(map.node_count(), 1u);
  EXPECT_EQ(map.node_address(0), "127.0.0.1:6380");
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(map.NodeOf(std::to_string(i)), 0u) << i;
  EXPECT_EQ(map.NodeOf(""), 0u);
}

TEST(SlotMapTest, RangesIncludeBothEnds) {
  const uint32_t slot = SlotOf(kHighKey);
  EXPECT_EQ(MapOf({"a:1"}, {{slot, slot, 0}}).NodeOf(kHighKey), 0u);
  EXPECT_EQ(MapOf({"a:1"}, {{0, slot - 1, 0}, {slot + 1, kSlotCount - 1, 0}}).NodeOf(kHighKey),
            std::nullopt);
}

TEST(SlotMapTest, KeysGoToTheNodeOfTheirSlot) {
  const SlotMap map = ThreeNodes();
  EXPECT_EQ(map.NodeOf(kLowKey), 0u);
  EXPECT_EQ(map.NodeOf(kMiddleKey), 1u);
  EXPECT_EQ(map.NodeOf(kHighKey), 2u);
  EXPECT_EQ(map.node_address(2), "c:1");
}

TEST(SlotMapTest, KeysWithOneHashTagStayTogether) {
  const SlotMap map = ThreeNodes();
  EXPECT_EQ(map.NodeOf("{bar}.a"), map.NodeOf("{bar}.b"));
  EXPECT_EQ(map.NodeOf("{bar}.a"), map.NodeOf("bar"));
}

TEST(SlotMapTest, LaterRangeWins) {
  const SlotMap map = MapOf({"a:1", "b:1"}, {{0, kSlotCount - 1, 0}, {0, 9999, 1}});
  EXPECT_EQ(map.NodeOf(kLowKey), 1u);
  EXPECT_EQ(map.NodeOf(kHighKey), 0u);
}

TEST(SlotMapTest, SenselessRangesAreRefused) {
  for (const SlotRange& range : {SlotRange{0, kSlotCount, 0}, SlotRange{5, 4, 0},
                                 SlotRange{0, 0, 1}, SlotRange{UINT32_MAX, UINT32_MAX, 0}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(SlotMap::Create({"a:1"}, {range}).status()));
  }
  EXPECT_TRUE(absl::IsInvalidArgument(SlotMap::Create({}, {{0, 0, 0}}).status()));
}

TEST(SplitByNodeTest, OneNodeGetsTheWholeBatch) {
  const auto parts = Split(SlotMap::SingleNode("a:1"), {kHighKey, kLowKey, kHighKey});
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].node, 0u);
  EXPECT_EQ(parts[0].positions, (std::vector<int>{0, 1, 2}));
}

TEST(SplitByNodeTest, PartsKeepTheOrderOfTheirKeys) {
  const auto parts = Split(ThreeNodes(), {kHighKey, kLowKey, kMiddleKey, kLowKey, kHighKey});
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].node, 2u);
  EXPECT_EQ(parts[0].positions, (std::vector<int>{0, 4}));
  EXPECT_EQ(parts[1].node, 0u);
  EXPECT_EQ(parts[1].positions, (std::vector<int>{1, 3}));
  EXPECT_EQ(parts[2].node, 1u);
  EXPECT_EQ(parts[2].positions, (std::vector<int>{2}));
}

TEST(SplitByNodeTest, KeysThatNobodyOwnsAreAPartToo) {
  const auto parts = Split(MapOf({"a:1"}, {{0, 4999, 0}}), {kLowKey, kHighKey});
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].node, 0u);
  EXPECT_EQ(parts[1].node, std::nullopt);
  EXPECT_EQ(parts[1].positions, (std::vector<int>{1}));
}

TEST(SplitByNodeTest, NoKeysGiveNoParts) { EXPECT_TRUE(Split(ThreeNodes(), {}).empty()); }

}  // namespace
}  // namespace ferrite
