#include "client/slot_error.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "client/error.h"

namespace ferrite {
namespace {

v1::OperationError ErrorOf(v1::ErrorReason reason,
                           const std::map<std::string, std::string>& facts) {
  v1::OperationError error;
  error.set_code(14);
  error.set_reason(reason);
  for (const auto& [name, fact] : facts) (*error.mutable_metadata())[name] = fact;
  return error;
}

TEST(SlotErrorTest, SaysTheSameOfAnOperationAndOfACall) {
  const v1::OperationError error =
      ErrorOf(v1::SLOT_MOVED, {{"address", "a:1"}, {"epoch", "17"}, {"slot", "5"}});
  for (const SlotError& moved : {SlotErrorIn(error), SlotErrorIn(ToAbslStatus(error))}) {
    EXPECT_EQ(moved.kind, SlotError::Kind::kMoved);
    EXPECT_EQ(moved.address, "a:1");
    EXPECT_EQ(moved.epoch, 17);
  }
  EXPECT_EQ(SlotErrorIn(absl::UnavailableError("")).kind, SlotError::Kind::kNone);
}

TEST(SlotErrorTest, WhatWasDoneIsKnownOrNot) {
  EXPECT_FALSE(SlotErrorIn(ErrorOf(v1::SLOT_IN_TRANSITION, {})).may_be_done);
  EXPECT_FALSE(SlotErrorIn(ErrorOf(v1::LEASE_LOST, {{"executed", "no"}})).may_be_done);
  EXPECT_TRUE(SlotErrorIn(ErrorOf(v1::LEASE_LOST, {{"executed", "unknown"}})).may_be_done);
  EXPECT_TRUE(SlotErrorIn(ErrorOf(v1::PEER_UNREACHABLE, {})).may_be_done);
}

TEST(FollowTest, OnlyMovesOfTheNewestMapAreFollowedAndOnlySoOften) {
  CallRoute route;
  const SlotError moved = {.kind = SlotError::Kind::kMoved, .address = "b:1", .epoch = 7};
  EXPECT_EQ(Follow(moved, /*known_epoch=*/8, &route), Move::kWait);
  EXPECT_EQ(route.moves, 0);
  for (int i = 1; i <= kMostMoves; ++i) {
    EXPECT_EQ(Follow(moved, 7, &route), Move::kFollow);
    EXPECT_EQ(route.moves, i);
    EXPECT_EQ(route.moved_to, "b:1");
    EXPECT_LE(FollowDelay(route, 0.999), absl::Milliseconds(20));
  }
  EXPECT_EQ(Follow(moved, 7, &route), Move::kTooOften);
  const SlotError older = {.kind = SlotError::Kind::kMoved, .address = "a:1", .epoch = 6};
  EXPECT_EQ(Follow(older, 5, &route), Move::kWait) << "its node has not heard of 7";
}

TEST(FollowTest, WhatGoesInACircleIsSaidToDoSo) {
  const absl::Status last = ToAbslStatus(ErrorOf(v1::SLOT_MOVED, {{"address", "a:1"}}));
  EXPECT_EQ(ReasonOf(MovedTooOften(last)), "SLOT_MOVED");
}

}  // namespace
}  // namespace ferrite
