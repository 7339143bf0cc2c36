#include "server/cluster/cluster_map.h"

#include <functional>
#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/cluster/map_of.h"

namespace ferrite::cluster {
namespace {

using internal::v1::ClusterMap;
using ::testing::HasSubstr;

TEST(ClusterMap, WhatIsWrittenIsRead) {
  const ClusterMap map = MapOf({0, 1, 0, 2});
  const auto parsed = ParseClusterMap(map.SerializeAsString());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ((*parsed)->SerializeAsString(), map.SerializeAsString());
}

TEST(ClusterMap, UnknownFieldsAreKept) {
  ClusterMap map = MapOf({0, 1});
  map.GetReflection()->MutableUnknownFields(&map)->AddVarint(1000, 5);
  auto* range = map.mutable_ranges(1);
  range->GetReflection()->MutableUnknownFields(range)->AddLengthDelimited(12, "later");
  const auto parsed = ParseClusterMap(map.SerializeAsString());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ((*parsed)->SerializeAsString(), map.SerializeAsString());
}

TEST(ClusterMap, BrokenOnesAreRefusedWithAReason) {
  struct Case {
    const char* reason;
    std::function<void(ClusterMap*)> spoil;
  };
  const Case cases[] = {
      {"no format", [](ClusterMap* map) { map->clear_format(); }},
      {"no cluster uid", [](ClusterMap* map) { map->clear_cluster_uid(); }},
      {"no generation", [](ClusterMap* map) { map->clear_generation(); }},
      {"after slots that are nobody's",
       [](ClusterMap* map) { map->mutable_ranges(0)->set_first(1); }},
      {"after slots that are nobody's",
       [](ClusterMap* map) { map->mutable_ranges(0)->set_last(9); }},
      {"twice or out of order", [](ClusterMap* map) { map->mutable_ranges(0)->set_last(9000); }},
      {"after slots that are nobody's",
       [](ClusterMap* map) { map->mutable_ranges()->SwapElements(0, 1); }},
      {"end before they begin",
       [](ClusterMap* map) {
         map->mutable_ranges(1)->set_first(8192);
         map->mutable_ranges(1)->set_last(8191);
       }},
      {"beyond the last slot", [](ClusterMap* map) { map->mutable_ranges(1)->set_last(16384); }},
      {"beyond the last slot", [](ClusterMap* map) { map->mutable_ranges(1)->set_last(~0u); }},
      {"ends before slot 8192", [](ClusterMap* map) { map->mutable_ranges()->RemoveLast(); }},
      {"ends before slot 0", [](ClusterMap* map) { map->clear_ranges(); }},
      {"have an owner", [](ClusterMap* map) { map->mutable_ranges(0)->set_owner(2); }},
      {"have a next owner", [](ClusterMap* map) { map->mutable_ranges(0)->set_next_owner(2); }},
      {"in no generation", [](ClusterMap* map) { map->mutable_ranges(0)->set_owned_since(10); }},
      {"in no generation", [](ClusterMap* map) { map->mutable_ranges(0)->clear_owned_since(); }},
      {"yet to come", [](ClusterMap* map) { map->mutable_ranges(0)->set_releasing_since(10); }},
      {"is no name", [](ClusterMap* map) { map->mutable_members(0)->set_node_id("a/b"); }},
      {"is no name", [](ClusterMap* map) { map->mutable_members(0)->clear_node_id(); }},
      {"no boot id", [](ClusterMap* map) { map->mutable_members(0)->clear_boot_id(); }},
      {"out of order", [](ClusterMap* map) { map->mutable_members()->SwapElements(0, 1); }},
      {"out of order", [](ClusterMap* map) { *map->mutable_members(1) = map->members(0); }},
      {"8193 members",
       [](ClusterMap* map) {
         while (map->members_size() < 8193) *map->add_members() = map->members(0);
       }},
  };
  for (const Case& broken : cases) {
    ClusterMap map = MapOf({0, 1});
    ASSERT_TRUE(CheckClusterMap(map).ok());
    broken.spoil(&map);
    const absl::Status status = ParseClusterMap(map.SerializeAsString()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << broken.reason;
    EXPECT_THAT(std::string(status.message()), HasSubstr(broken.reason));
  }
  EXPECT_FALSE(ParseClusterMap("").ok());
  EXPECT_THAT(std::string(ParseClusterMap("\xff").status().message()), HasSubstr("no message"));
  EXPECT_THAT(std::string(ParseClusterMap(std::string(1'400'001, ' ')).status().message()),
              HasSubstr("it may have 1400000"));
}

TEST(ClusterMap, NewerOnesAreRefusedAsSuch) {
  ClusterMap format = MapOf({0});
  format.set_format(2);
  ClusterMap feature = MapOf({0});
  feature.add_required_features("copies");
  // Nor does it matter what else a newer map changes the meaning of.
  ClusterMap other = format;
  other.clear_ranges();
  for (const ClusterMap& map : {format, feature, other}) {
    const absl::Status status = ParseClusterMap(map.SerializeAsString()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr("too old"));
  }
}

TEST(ClusterMap, GarbageNeverPasses) {
  // What passes covers each slot once, whatever was done to the bytes.
  std::mt19937_64 random(1);
  const std::string good = MapOf({0, 1, 2, 1, 0}).SerializeAsString();
  int passed = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (uint64_t change = 0; change <= random() % 3; ++change) {
      const size_t at = random() % bytes.size();
      switch (random() % 3) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, 1 + random() % 4);
          break;
        case 2:
          bytes.insert(at, 1, static_cast<char>(random()));
          break;
      }
      if (bytes.empty()) break;
    }
    const auto parsed = ParseClusterMap(bytes);
    if (!parsed.ok()) continue;
    ++passed;
    uint32_t covered = 0;
    for (const auto& range : (*parsed)->ranges()) {
      ASSERT_EQ(range.first(), covered);
      ASSERT_LT(range.owner(), static_cast<uint32_t>((*parsed)->members_size()));
      covered = range.last() + 1;
    }
    ASSERT_EQ(covered, 16384u);
  }
  EXPECT_GT(passed, 0);  // such as another uid
}

}  // namespace
}  // namespace ferrite::cluster
