#include "server/cluster/core/takeover.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/cluster/core/ceiling.h"
#include "server/cluster/core/txn.h"
#include "server/cluster/node_record.h"
#include "tests/server/cluster/core/listing_of.h"
#include "tests/server/cluster/map_of.h"

namespace ferrite::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kSecond = 1'000'000'000;

class TakeoverTest : public ::testing::Test {
 protected:
  TakeoverTest() {
    AddNode(&listing_, "a", 1);
    AddCeiling(&listing_, "a", 100);
    AddCeiling(&listing_, "b", 200, /*mod_revision=*/20);
  }
  // Whether b can be taken out, so many seconds later.
  bool IsReady(int64_t seconds) {
    now_.steady_ns += seconds * kSecond;
    takeover_.Observe(map_, listing_, now_);
    ready_ = takeover_.Ready(listing_, now_);
    return ready_.contains({"b", 2});
  }
  std::vector<std::string> Compared() {
    std::vector<std::string> texts;
    for (const auto& compare : ready_[{"b", 2}].compares)
      texts.push_back(compare.ShortDebugString());
    return texts;
  }

  CoreSettings settings_;
  Keys keys_{"test"};
  Takeover takeover_{settings_, keys_};
  Listing listing_;
  Moment now_{.steady_ns = kSecond, .wall_us = 1000};
  const internal::v1::ClusterMap map_ = MapOf({0, 1});
  GoneOwners ready_;
};

TEST_F(TakeoverTest, WaitsForAsLongAsTheOwnerMayServe) {
  EXPECT_FALSE(IsReady(0));
  EXPECT_EQ(takeover_.next_end_ns(now_), now_.steady_ns + 5 * kSecond);
  EXPECT_FALSE(IsReady(4));
  EXPECT_TRUE(IsReady(1));
  EXPECT_THAT(Compared(), ElementsAre(ModifiedAt(keys_.Node("b"), 0).ShortDebugString(),
                                      ModifiedAt(keys_.Ceiling("b"), 20).ShortDebugString()));
  const uint64_t floor = ready_[Process{"b", 2}].floor;
  EXPECT_EQ(floor, 200 + Ceiling::kGapAfterCrashUs);
}

TEST_F(TakeoverTest, BeginsAnewWhenTheOwnerWasBack) {
  EXPECT_FALSE(IsReady(0));
  AddNode(&listing_, "b", 2);
  EXPECT_FALSE(IsReady(3));
  listing_.nodes.erase("b");
  EXPECT_FALSE(IsReady(3));
  // Also if nobody has seen it: each registration writes the ceiling.
  AddCeiling(&listing_, "b", 200, /*mod_revision=*/21);
  EXPECT_FALSE(IsReady(4));
  EXPECT_FALSE(IsReady(4));
  EXPECT_TRUE(IsReady(1));
}

TEST_F(TakeoverTest, AnotherProcessWithTheIdShowsThatTheOwnerIsGone) {
  AddNode(&listing_, "b", 22, /*mod_revision=*/30);
  EXPECT_FALSE(IsReady(0));
  // Its ceiling may change meanwhile.
  AddCeiling(&listing_, "b", 300, /*mod_revision=*/31);
  EXPECT_TRUE(IsReady(5));
  EXPECT_THAT(Compared(), ElementsAre(ModifiedAt(keys_.Node("b"), 30).ShortDebugString()));
  // What it says may not, as the owner could have been there in between.
  AddNode(&listing_, "b", 22, /*mod_revision=*/32);
  EXPECT_FALSE(IsReady(1));
}

TEST_F(TakeoverTest, WhoseRecordCannotBeReadMayLive) {
  AddNode(&listing_, "b", 2).node = nullptr;
  EXPECT_FALSE(IsReady(0));
  EXPECT_FALSE(IsReady(100));
  EXPECT_EQ(takeover_.next_end_ns(now_), kNever);
}

TEST_F(TakeoverTest, WithoutACeilingOneIsWrittenFirst) {
  listing_.ceilings.erase("b");
  EXPECT_FALSE(IsReady(0));
  EXPECT_THAT(takeover_.without_ceiling(), IsEmpty());  // the answer may have been spoilt
  EXPECT_FALSE(IsReady(3));
  ASSERT_THAT(takeover_.without_ceiling(), ElementsAre("b"));
  const auto request = takeover_.WriteCeilings(listing_, 77, now_);
  ASSERT_THAT(request.compare(), SizeIs(1));
  EXPECT_EQ(request.compare(0).ShortDebugString(),
            ModifiedAt(keys_.Ceiling("b"), 0).ShortDebugString());
  const auto written = ParseVersionCeiling("b", request.success(0).request_put().value());
  ASSERT_TRUE(written.ok());
  EXPECT_GT(written->ceiling(), 3600u * 1'000'000);
  EXPECT_EQ(written->serving_ttl_ms(), kMaxServingTtlMs);
  // From then on it is as with any other.
  listing_.ceilings["b"] = {.mod_revision = 40, .value = *written};
  EXPECT_FALSE(IsReady(3));
  EXPECT_FALSE(IsReady(59));
  EXPECT_TRUE(IsReady(1));
}

TEST_F(TakeoverTest, TakesNoMoreAtOnceThanATransactionHasRoomFor) {
  std::vector<uint32_t> owners;
  for (uint32_t owner = 0; owner < 60; ++owner) owners.push_back(owner);
  const auto map = MapOf(owners);
  Listing nobody;
  for (const auto& member : map.members()) AddCeiling(&nobody, member.node_id(), 1);
  takeover_.Observe(map, nobody, now_);
  now_.steady_ns += 5 * kSecond;
  EXPECT_THAT(takeover_.Ready(nobody, now_), SizeIs(Takeover::kMaxOwners));
}

}  // namespace
}  // namespace ferrite::cluster
