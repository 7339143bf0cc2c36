#include "server/cluster/core/core.h"

#include <string>

#include "gmock/gmock.h"
#include "tests/server/cluster/core/core_fixture.h"

namespace ferrite::cluster {
namespace {

using internal::v1::ClusterMap;
using internal::v1::NodeRecord;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using Place = Route::Place;

class CoreTest : public CoreFixture {};

TEST_F(CoreTest, TheFirstNodeServesAllSlotsSoon) {
  TestNode& a = Start("a");
  Run(0.5);
  EXPECT_EQ(a.Slots(Place::kNobody), kSlotCount);
  Run(1.5);
  EXPECT_EQ(a.Slots(Place::kHere), kSlotCount);
  EXPECT_TRUE(Serves(a));
  EXPECT_LE(a.right_end_ns, now_ns_ + int64_t{kTtlMs} * kNsPerMs * 7 / 8);
  EXPECT_TRUE(a.core->status().controller);
  EXPECT_TRUE(a.core->status().registered);
  EXPECT_EQ(Map().generation(), 1u);
  EXPECT_THAT(a.problems, IsEmpty());
}

TEST_F(CoreTest, NodesThatStartTogetherShareAtOnce) {
  for (const char* id : {"a", "b", "c"}) Start(id);
  Run(2);
  EXPECT_EQ(Map().generation(), 1u);
  for (const auto& [id, node] : nodes_) {
    EXPECT_NEAR(static_cast<double>(node->Slots(Place::kHere)), 16384 / 3.0, 1) << id;
    EXPECT_EQ(node->Slots(Place::kHere) + node->Slots(Place::kElsewhere), kSlotCount);
    ASSERT_EQ(node->view->nodes().size(), 3u);
    EXPECT_EQ(node->view->nodes()[1]->address, "b:1");
    EXPECT_EQ(node->view->nodes()[1]->internal_address, "b:1");
  }
}

TEST_F(CoreTest, WithoutAnswersTheRightRunsOut) {
  TestNode& a = Start("a");
  Run(3);
  a.cut_off = true;
  Run(2.4);
  EXPECT_TRUE(Serves(a));
  Run(1.2);
  EXPECT_FALSE(Serves(a));
  Run(3);
  EXPECT_THAT(a.problems, Contains(Key(Problem::kEtcdSilent)));
  a.cut_off = false;
  Run(3);
  EXPECT_TRUE(Serves(a));
  EXPECT_THAT(a.problems, IsEmpty());
  // It was alone: its data is as good as ever.
  EXPECT_EQ(a.Slots(Place::kHere), kSlotCount);
  EXPECT_THAT(a.drops, IsEmpty());
}

TEST_F(CoreTest, ANodeThatComesGetsSlotsWhenTheirOwnerHasReleasedThem) {
  Start("a");
  TestNode& b = Start("b");
  Run(3);
  TestNode& c = Start("c");
  Run(0.5);
  // The one who makes the changes is another than the one who does not hear of them.
  const bool a_acts = nodes_["a"]->core->status().controller;
  TestNode& deaf = a_acts ? b : *nodes_["a"];
  TestNode& other = a_acts ? *nodes_["a"] : b;
  deaf.cut_off = true;
  Run(1);
  EXPECT_NEAR(static_cast<double>(other.Slots(Place::kReleasing)), 2731, 1);
  EXPECT_NEAR(static_cast<double>(c.Slots(Place::kHere)), 2731, 1);
  EXPECT_EQ(deaf.Slots(Place::kHere), 8192u);
  const uint64_t limit = deaf.limit;
  deaf.cut_off = false;
  Run(2);
  for (const auto& [id, node] : nodes_)
    EXPECT_NEAR(static_cast<double>(node->Slots(Place::kHere)), 16384 / 3.0, 1) << id;
  // What it gave away is of no use any more, and its successor starts above all that it has given.
  EXPECT_EQ(deaf.drops.size(), 1u);
  EXPECT_GT(c.floor, limit);
  EXPECT_EQ(c.floor, Map().version_floor());
  EXPECT_GE(c.limit, c.floor);
}

TEST_F(CoreTest, SlotsOfANodeThatIsGoneAreServedAfterTwiceTheTtl) {
  TestNode& a = Start("a");
  Start("b");
  Run(3);
  const int64_t gone_ns = now_ns_;
  const uint64_t limit = nodes_["b"]->limit;
  End("b");
  Run(2.0 * kTtlMs / 1000 - 1);
  EXPECT_EQ(a.Slots(Place::kHere), 8192u);
  Run(2);
  EXPECT_EQ(a.Slots(Place::kHere), kSlotCount);
  EXPECT_LE(now_ns_ - gone_ns, 2 * kTtlMs * kNsPerMs + kSecond);
  EXPECT_GT(a.floor, limit);
}

TEST_F(CoreTest, AProcessThatStartsAnewDoesNotGoOnAsItsPredecessor) {
  Start("a");
  Run(3);
  End("a");
  TestNode& second = Start("a");
  Run(1);
  EXPECT_THAT(second.problems, Contains(Pair(Problem::kIdTaken, HasSubstr("a:1"))));
  EXPECT_FALSE(Serves(second));
  Run(kTtlMs / 1000);
  EXPECT_THAT(second.problems, Not(Contains(Key(Problem::kIdTaken))));
  EXPECT_EQ(second.Slots(Place::kHere), 0u);
  Run(kTtlMs / 1000 + 1);
  EXPECT_EQ(second.Slots(Place::kHere), kSlotCount);
}

TEST_F(CoreTest, ANodeThatDrainsIsToldWhenItOwnsNothing) {
  TestNode& a = Start("a");
  TestNode& b = Start("b");
  Run(3);
  Step(&b, Wish::kDrain);
  Run(4);
  EXPECT_TRUE(b.drained);
  EXPECT_EQ(b.Slots(Place::kHere), 0u);
  EXPECT_EQ(a.Slots(Place::kHere), kSlotCount);
  // It can change its mind.
  Step(&b, Wish::kStay);
  Run(6);
  Step(&b, Dropped{b.drops.at(0).id});
  EXPECT_EQ(b.Slots(Place::kHere), 8192u);
  // The process ends: the others see it at once.
  Step(&b, Wish::kLeave);
  EXPECT_FALSE(Serves(b));
  Run(0.1);
  EXPECT_EQ(etcd_.Find(keys_.Node("b")), nullptr);
}

TEST_F(CoreTest, WithoutAnybodyElseNothingIsDrained) {
  TestNode& a = Start("a");
  Run(3);
  Step(&a, Wish::kDrain);
  Run(10);
  EXPECT_FALSE(a.drained);
  EXPECT_EQ(a.Slots(Place::kHere), kSlotCount);
}

TEST_F(CoreTest, SlotsThatComeBackAreServedWhenTheOldDataIsDropped) {
  TestNode& a = Start("a");
  TestNode& b = Start("b");
  Run(3);
  Step(&b, Wish::kDrain);
  Run(4);
  ASSERT_EQ(b.drops.size(), 1u);
  Step(&b, Wish::kStay);
  Run(6);
  EXPECT_EQ(b.Slots(Place::kPreparing), 8192u);
  EXPECT_EQ(b.Slots(Place::kHere), 0u);
  Step(&b, Dropped{b.drops[0].id});
  EXPECT_EQ(b.Slots(Place::kHere), 8192u);
  EXPECT_EQ(a.Slots(Place::kElsewhere), 8192u);
}

TEST_F(CoreTest, ADeletedNodeKeyIsNoticedAndMadeAnew) {
  TestNode& a = Start("a");
  Run(3);
  etcd_.Delete(keys_.Node("a"));
  Run(2);
  EXPECT_NE(etcd_.Find(keys_.Node("a")), nullptr);
  EXPECT_TRUE(Serves(a));
  EXPECT_EQ(a.Slots(Place::kHere), kSlotCount);
}

TEST_F(CoreTest, AnEtcdThatGoesBackEndsTheService) {
  TestNode& a = Start("a");
  Run(3);
  auto state = etcd_.state();
  state.revision -= 1;
  etcd_.Restore(state);
  Run(0.9);
  EXPECT_FALSE(Serves(a));
  Run(1);
  EXPECT_TRUE(a.core->status().foreign);
  EXPECT_THAT(a.problems, Contains(Pair(Problem::kForeign, HasSubstr("revision"))));
  // For good: what it would have to know to go on, only an operator knows.
  state.revision += 10;
  etcd_.Restore(state);
  Run(20);
  EXPECT_FALSE(Serves(a));
  EXPECT_THAT(a.calls, IsEmpty());
}

TEST_F(CoreTest, AnotherClusterIdOrUidOrALostMapEndTheService) {
  const auto ends = [this](auto spoil, const char* reason) {
    TestNode& a = Start("a");
    Run(12);
    ASSERT_TRUE(Serves(a)) << reason;
    spoil();
    Run(2);
    EXPECT_FALSE(Serves(a));
    EXPECT_THAT(a.problems, Contains(Pair(Problem::kForeign, HasSubstr(reason))));
    End("a");
    etcd_.Restore({});
  };
  ends(
      [this] {
        auto state = etcd_.state();
        state.cluster_id = 7;
        etcd_.Restore(state);
      },
      "cluster id");
  ends(
      [this] {
        ClusterMap map = Map();
        map.set_cluster_uid(map.cluster_uid() + 1);
        etcd_.Put(keys_.map(), map.SerializeAsString());
      },
      "uid");
  ends([this] { etcd_.Delete(keys_.map()); }, "map is gone");
  ends(
      [this] {
        ClusterMap map = Map();
        map.set_version_floor(map.version_floor() + 1);
        etcd_.Put(keys_.map(), map.SerializeAsString());
      },
      "was changed");
}

TEST_F(CoreTest, AMapThatCannotBeReadStopsTheServiceUntilItCan) {
  TestNode& a = Start("a");
  Run(3);
  const ClusterMap good = Map();
  etcd_.Put(keys_.map(), "nonsense");
  Run(2);
  EXPECT_FALSE(Serves(a));
  EXPECT_THAT(a.problems, Contains(Key(Problem::kMapBroken)));
  ClusterMap newer = good;
  newer.set_format(2);
  etcd_.Put(keys_.map(), newer.SerializeAsString());
  Run(2);
  EXPECT_FALSE(Serves(a));
  EXPECT_THAT(a.problems, Contains(Pair(Problem::kMapTooNew, HasSubstr("too old"))));
  // It leaves alone what it does not understand, and lets others be the controller.
  EXPECT_EQ(etcd_.Find(keys_.map())->value(), newer.SerializeAsString());
  EXPECT_EQ(etcd_.Find(keys_.controller()), nullptr);
  ClusterMap next = good;
  next.set_generation(good.generation() + 1);
  next.clear_recent_tags();
  next.add_recent_tags(5);
  next.add_recent_tags(good.recent_tags(0));
  etcd_.Put(keys_.map(), next.SerializeAsString());
  Run(2);
  EXPECT_TRUE(Serves(a));
  EXPECT_THAT(a.problems, IsEmpty());
  EXPECT_THAT(a.drops, IsEmpty());
}

TEST_F(CoreTest, FieldsOfLaterVersionsStayInTheMap) {
  Start("a");
  Run(3);
  ClusterMap map = Map();
  map.set_generation(2);
  map.add_recent_tags(map.recent_tags(0));
  map.set_recent_tags(0, 8);
  map.GetReflection()->MutableUnknownFields(&map)->AddVarint(1000, 5);
  auto* range = map.mutable_ranges(0);
  range->GetReflection()->MutableUnknownFields(range)->AddVarint(1001, 6);
  auto* member = map.mutable_members(0);
  member->GetReflection()->MutableUnknownFields(member)->AddVarint(1002, 7);
  etcd_.Put(keys_.map(), map.SerializeAsString());
  Start("b");
  Run(6);
  const ClusterMap later = Map();
  ASSERT_GT(later.generation(), 3u);
  const auto unknown = [](const auto& message) {
    const auto& fields = message.GetReflection()->GetUnknownFields(message);
    return fields.field_count() == 1 ? fields.field(0).varint() : 0;
  };
  EXPECT_EQ(unknown(later), 5u);
  EXPECT_EQ(unknown(later.members(0)), 7u);
  ASSERT_EQ(later.ranges_size(), 2);
  EXPECT_EQ(unknown(later.ranges(0)), 6u);
  EXPECT_EQ(unknown(later.ranges(1)), 6u);
}

TEST_F(CoreTest, WhatANodeWouldMoveCanBeAskedBefore) {
  TestNode& a = Start("a");
  EXPECT_FALSE(a.core->PlanRebalance());
  Run(3);
  EXPECT_FALSE(a.core->PlanRebalance());
  Start("b");
  Run(0.5);  // not settled
  Step(&a, WatchHint{});
  Run(0.1);
  const auto plan = a.core->PlanRebalance();
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->slots_releasing, 8192u);
  EXPECT_EQ(Map().generation(), 1u);
  // Nor has anybody to wait for it.
  Step(&a, Wish::kRebalance);
  Run(0.1);
  EXPECT_GT(Map().generation(), 1u);
}

TEST_F(CoreTest, AClockThatIsOffIsNamed) {
  TestNode& a = Start("a");
  Run(3);
  Start("b").wall_offset_us = -100'000'000;
  Run(4);
  EXPECT_THAT(a.problems, Contains(Pair(Problem::kClockOff, HasSubstr("node b"))));
}

TEST_F(CoreTest, AClockThatIsOffIsNamedAlsoWhenAnotherNodeHasGone) {
  TestNode& a = Start("a");
  Start("c");
  Run(3);
  Start("b").wall_offset_us = -100'000'000;
  Run(4);
  End("c");  // so that all are listed anew
  Run(2.0 * kTtlMs / 1000 + 10);
  EXPECT_EQ(a.core->status().nodes, 2u);
  EXPECT_THAT(a.problems, Contains(Pair(Problem::kClockOff, HasSubstr("node b"))));
}

TEST_F(CoreTest, CeilingsOfNodesThatWillNotComeBackGo) {
  Start("a");
  Start("b");
  Run(3);
  End("b");
  Run(2.0 * kTtlMs / 1000 + 10);
  EXPECT_EQ(etcd_.Find(keys_.Ceiling("b")), nullptr);
  EXPECT_NE(etcd_.Find(keys_.Ceiling("a")), nullptr);
}

TEST_F(CoreTest, AWallClockThatJumpsAheadIsFollowedOnlyAsFarAsEtcdKnows) {
  TestNode& a = Start("a");
  Run(3);
  const uint64_t before = a.limit;
  a.cut_off = true;
  a.wall_offset_us = 3600'000'000;
  Run(2);
  EXPECT_LE(a.limit, before + 60'000'000);
  a.cut_off = false;
  Run(2);
  EXPECT_GE(a.limit, static_cast<uint64_t>(now_ns_ / 1000 + a.wall_offset_us));
  internal::v1::VersionCeiling ceiling;
  ceiling.ParseFromString(etcd_.Find(keys_.Ceiling("a"))->value());
  EXPECT_LE(a.limit, ceiling.ceiling());
}

TEST_F(CoreTest, AnswersThatAreNoneAreReportedAndMisleadNobody) {
  TestNode& a = Start("a");
  Run(3);
  const auto answer = [&](const EtcdReply& reply) {
    ASSERT_FALSE(a.calls.empty());
    EtcdReply garbled = reply;
    garbled.call = a.calls.front().id;
    a.calls.pop_front();
    Step(&a, garbled);
  };
  for (int round = 0; round < 4; ++round) {
    while (a.calls.empty()) {
      now_ns_ = a.core->next_wakeup_ns();
      Step(&a, Tick{});
    }
    etcdserverpb::TxnResponse empty;
    empty.mutable_header()->set_cluster_id(etcd_.state().cluster_id);
    empty.mutable_header()->set_revision(etcd_.state().revision);
    empty.set_succeeded(round % 2 == 0);
    answer({.outcome = EtcdReply::Outcome::kAnswered, .response = empty});
  }
  EXPECT_THAT(a.problems, Contains(Key(Problem::kEtcdGarbage)));
  EXPECT_FALSE(a.core->status().foreign);
  Run(6);
  EXPECT_TRUE(Serves(a));
  EXPECT_THAT(a.problems, IsEmpty());
}

}  // namespace
}  // namespace ferrite::cluster
