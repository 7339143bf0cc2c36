#include "server/cluster/core/map_keeper.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/cluster/map_of.h"

namespace ferrite::cluster {
namespace {

using internal::v1::ClusterMap;
using ::testing::HasSubstr;
using Verdict = MapKeeper::Verdict;

class MapKeeperTest : public ::testing::Test {
 protected:
  Verdict Take(int64_t epoch, const ClusterMap& map) {
    return TakeValue(epoch, map.SerializeAsString());
  }
  Verdict TakeValue(int64_t epoch, const std::string& value) {
    return keeper_.Take({.epoch = epoch, .value = &value}, keeper_.epoch());
  }
  Verdict TakeEpoch(int64_t epoch, int64_t known_epoch) {
    return keeper_.Take({.epoch = epoch}, known_epoch);
  }
  // The successor, by so many generations of which it tells the tags.
  static ClusterMap After(const ClusterMap& map, int generations = 1) {
    ClusterMap next = map;
    next.set_generation(map.generation() + static_cast<uint64_t>(generations));
    next.clear_recent_tags();
    for (int tag = 0; tag < generations; ++tag) next.add_recent_tags(next.generation() * 100);
    for (const uint64_t tag : map.recent_tags()) next.add_recent_tags(tag);
    return next;
  }

  Faults faults_;
  MapKeeper keeper_{faults_};
  const ClusterMap first_ = MapOf({0, 1});
};

TEST_F(MapKeeperTest, KnowsNoMapUntilThereIsOne) {
  EXPECT_EQ(TakeEpoch(0, 0), Verdict::kSame);
  EXPECT_EQ(keeper_.map(), nullptr);
  EXPECT_EQ(Take(5, first_), Verdict::kNewer);
  EXPECT_EQ(keeper_.epoch(), 5);
  EXPECT_EQ(keeper_.cluster_uid(), 77u);
  EXPECT_EQ(TakeEpoch(5, 5), Verdict::kSame);
  EXPECT_EQ(Take(5, first_), Verdict::kSame);
}

TEST_F(MapKeeperTest, TakesSuccessorsAndLeavesLateAnswers) {
  Take(5, first_);
  EXPECT_EQ(Take(8, After(first_)), Verdict::kNewer);
  EXPECT_EQ(Take(11, After(After(first_), 3)), Verdict::kNewer);
  // Asked before the newer map was known.
  EXPECT_EQ(TakeEpoch(8, 5), Verdict::kOutdated);
  EXPECT_EQ(TakeEpoch(0, 0), Verdict::kOutdated);
  EXPECT_EQ(keeper_.epoch(), 11);
  EXPECT_EQ(keeper_.leaps(), 0u);
}

TEST_F(MapKeeperTest, DoubtsWhatGoesBack) {
  Take(5, first_);
  Take(8, After(first_));
  EXPECT_EQ(TakeEpoch(5, 8), Verdict::kDoubtful);
  EXPECT_THAT(std::string(keeper_.trouble().message()), HasSubstr("was 8 and is 5"));
  EXPECT_EQ(TakeEpoch(0, 8), Verdict::kDoubtful);
  EXPECT_THAT(std::string(keeper_.trouble().message()), HasSubstr("gone"));
  EXPECT_EQ(Take(9, first_), Verdict::kDoubtful);
  EXPECT_THAT(std::string(keeper_.trouble().message()), HasSubstr("generation"));
  EXPECT_EQ(TakeEpoch(9, 8), Verdict::kDoubtful);  // without its value
  EXPECT_EQ(keeper_.epoch(), 8);
}

TEST_F(MapKeeperTest, DoubtsAnotherHistory) {
  Take(5, first_);
  ClusterMap uid = After(first_);
  uid.set_cluster_uid(78);
  EXPECT_EQ(Take(8, uid), Verdict::kDoubtful);
  // Of the same generation, at the same epoch or another.
  ClusterMap other = first_;
  other.set_recent_tags(0, 1);
  EXPECT_EQ(Take(5, other), Verdict::kDoubtful);
  EXPECT_EQ(Take(6, other), Verdict::kDoubtful);
  // Or later, by way of another.
  EXPECT_EQ(Take(9, After(other)), Verdict::kDoubtful);
  EXPECT_EQ(Take(9, After(other, 20)), Verdict::kDoubtful);
  ClusterMap edited = first_;
  edited.set_version_floor(1);
  EXPECT_EQ(Take(9, edited), Verdict::kDoubtful);
  EXPECT_EQ(Take(9, After(first_, 20)), Verdict::kNewer);
}

TEST_F(MapKeeperTest, SaysWhenItCannotTell) {
  Take(5, first_);
  ClusterMap later = first_;
  later.set_generation(50);
  later.set_recent_tags(0, 50);
  EXPECT_EQ(Take(100, later), Verdict::kNewer);
  EXPECT_EQ(keeper_.leaps(), 1u);
}

TEST_F(MapKeeperTest, ReadsAgainWhatCouldNotBeRead) {
  Take(5, first_);
  EXPECT_EQ(TakeValue(8, "nonsense"), Verdict::kUnreadable);
  EXPECT_EQ(keeper_.map(), nullptr);
  EXPECT_EQ(keeper_.epoch(), 8);
  EXPECT_EQ(keeper_.read_epoch(), 5);
  EXPECT_EQ(Take(8, After(first_)), Verdict::kNewer);
  EXPECT_NE(keeper_.map(), nullptr);
  EXPECT_TRUE(keeper_.trouble().ok());
}

}  // namespace
}  // namespace ferrite::cluster
