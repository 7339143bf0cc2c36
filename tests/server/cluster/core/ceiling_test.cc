#include "server/cluster/core/ceiling.h"

#include "gtest/gtest.h"
#include "server/cluster/node_record.h"

namespace ferrite::cluster {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr uint64_t kUs = 1'000'000;  // a second
constexpr uint64_t kWall = 1'700'000'000 * kUs;

class CeilingTest : public ::testing::Test {
 protected:
  CeilingTest() {
    settings_.self.set_node_id("a");
    settings_.self.set_boot_id(4);
    settings_.serving_ttl_ms = 5000;
    Pass(0);
  }
  // Time goes by, by the steady clock; and what the wall clock shows beyond that.
  void Pass(int64_t seconds, int64_t wall_step_us = 0) {
    now_.steady_ns += seconds * kNsPerSecond;
    now_.wall_us += seconds * static_cast<int64_t>(kUs) + wall_step_us;
    ceiling_.Observe(now_);
  }
  void Write() { ceiling_.Written(ceiling_.Next(), ++revision_); }

  CoreSettings settings_;
  Ceiling ceiling_{settings_};
  Moment now_{.steady_ns = kNsPerSecond, .wall_us = static_cast<int64_t>(kWall)};
  int64_t revision_ = 1;
};

TEST_F(CeilingTest, LiesAMinuteAheadAndIsRenewedAfterHalfOfIt) {
  ceiling_.SetCluster(9);
  EXPECT_TRUE(ceiling_.IsMissing());
  EXPECT_FALSE(ceiling_.RaiseLimit());
  Write();
  EXPECT_EQ(ceiling_.ceiling(), kWall + 60 * kUs);
  EXPECT_FALSE(ceiling_.IsDue());
  Pass(30);
  EXPECT_FALSE(ceiling_.IsDue());
  Pass(1);
  EXPECT_TRUE(ceiling_.IsDue());
  EXPECT_FALSE(ceiling_.IsMissing());
  Pass(29);
  EXPECT_TRUE(ceiling_.IsMissing());
}

TEST_F(CeilingTest, TheStoreIsHeldToSomeSeconds) {
  ceiling_.SetCluster(9);
  Write();
  EXPECT_EQ(ceiling_.RaiseLimit(), kWall + 6 * kUs);
  EXPECT_FALSE(ceiling_.RaiseLimit());
  Pass(2);
  EXPECT_FALSE(ceiling_.RaiseLimit());
  Pass(1);
  EXPECT_EQ(ceiling_.RaiseLimit(), kWall + 9 * kUs);
  EXPECT_EQ(ceiling_.released_version(), kWall + 15 * kUs);
  // Never above what is in etcd.
  Pass(0, 3600 * static_cast<int64_t>(kUs));
  EXPECT_EQ(ceiling_.RaiseLimit(), kWall + 60 * kUs);
  Write();
  EXPECT_EQ(ceiling_.RaiseLimit(), kWall + (3 + 3600 + 6) * kUs);
}

TEST_F(CeilingTest, GoesOnWhenTheWallClockIsSetBack) {
  ceiling_.SetCluster(9);
  Write();
  Pass(10, -1000 * static_cast<int64_t>(kUs));
  EXPECT_EQ(ceiling_.RaiseLimit(), kWall + 16 * kUs);
  Pass(25);
  EXPECT_TRUE(ceiling_.IsDue());
  EXPECT_EQ(ceiling_.Next().ceiling(), kWall + 95 * kUs);
}

TEST_F(CeilingTest, StartsAboveTheFloorOfTheMap) {
  ceiling_.SetCluster(9);
  Write();
  ceiling_.Reach(kWall + 300 * kUs);
  EXPECT_TRUE(ceiling_.IsDue());
  EXPECT_TRUE(ceiling_.IsMissing());
  Write();
  EXPECT_EQ(ceiling_.ceiling(), kWall + 360 * kUs);
  EXPECT_EQ(ceiling_.RaiseLimit(), kWall + 306 * kUs);
}

TEST_F(CeilingTest, NeverFallsBelowWhatAPredecessorWrote) {
  internal::v1::VersionCeiling before;
  before.set_ceiling(kWall + 1000 * kUs);
  before.set_serving_ttl_ms(8000);
  before.set_cluster_uid(7);
  before.set_boot_id(3);
  mvccpb::KeyValue kv;
  kv.set_mod_revision(5);
  kv.set_value(before.SerializeAsString());
  ceiling_.Found(&kv);
  EXPECT_EQ(ceiling_.revision(), 5);
  const auto next = ceiling_.Next();
  EXPECT_EQ(next.ceiling(), kWall + 1000 * kUs);
  // It may still serve, by the map of that cluster and for its longer time.
  EXPECT_EQ(next.serving_ttl_ms(), 8000u);
  EXPECT_EQ(next.cluster_uid(), 7u);
  EXPECT_EQ(next.boot_id(), 4u);
  Pass(121);
  EXPECT_EQ(ceiling_.Next().serving_ttl_ms(), 5000u);
}

TEST_F(CeilingTest, AClockBeyondAllReasonOverflowsNothing) {
  ceiling_.SetCluster(9);
  now_.wall_us = INT64_MAX;
  ceiling_.Observe(now_);
  Write();
  EXPECT_LE(ceiling_.ceiling(), kMaxVersion);
  EXPECT_TRUE(ParseVersionCeiling("a", ceiling_.Next().SerializeAsString()).ok());
  now_.wall_us = INT64_MIN;
  ceiling_.Observe(now_);
  EXPECT_LE(ceiling_.Next().ceiling(), kMaxVersion);
}

}  // namespace
}  // namespace ferrite::cluster
