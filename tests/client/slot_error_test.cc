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

TEST(MayBeDoneTest, WhatWasDoneIsKnownOrNot) {
  for (const v1::ErrorReason reason : {v1::SLOT_IN_TRANSITION, v1::SLOT_UNOWNED, v1::SLOT_MOVED,
                                       v1::SHUTTING_DOWN, v1::OVERLOADED, v1::REPLY_TOO_LARGE}) {
    EXPECT_FALSE(MayBeDone(ToAbslStatus(ErrorOf(reason, {})))) << reason;
    EXPECT_TRUE(MayBeDone(ToAbslStatus(ErrorOf(reason, {{"executed", "yes"}})))) << reason;
  }
  EXPECT_FALSE(MayBeDone(ToAbslStatus(ErrorOf(v1::LEASE_LOST, {{"executed", "no"}}))));
  EXPECT_TRUE(MayBeDone(ToAbslStatus(ErrorOf(v1::LEASE_LOST, {{"executed", "unknown"}}))));
  EXPECT_TRUE(MayBeDone(ToAbslStatus(ErrorOf(v1::PEER_UNREACHABLE, {}))));
  EXPECT_TRUE(MayBeDone(absl::UnavailableError("the connection broke")));
  EXPECT_FALSE(MayBeDone(absl::InvalidArgumentError("no")));
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

// What becomes of a call that has so much time left, and has followed so many moves already.
struct Outcome {
  std::optional<absl::Duration> delay;
  absl::Status status;
};
Outcome AfterMove(int64_t known_epoch, absl::Duration time_left, int moves = 0) {
  const absl::Status moved =
      ToAbslStatus(ErrorOf(v1::SLOT_MOVED, {{"address", "a:1"}, {"epoch", "7"}}));
  CallRoute route = {.moves = moves};
  Outcome outcome = {.status = moved};
  outcome.delay = DelayAfterMove(SlotErrorIn(moved), known_epoch, {.max_attempts = 1},
                                 {.attempts = 3, .time_left = time_left}, /*chance=*/0.5, &route,
                                 &outcome.status);
  return outcome;
}

TEST(FollowTest, WhatGoesInACircleIsSaidToDoSo) {
  const Outcome outcome = AfterMove(7, absl::Seconds(1), kMostMoves);
  EXPECT_FALSE(outcome.delay.has_value());
  EXPECT_EQ(ReasonOf(outcome.status), "SLOT_MOVED");
  EXPECT_NE(outcome.status.message().find("do not agree"), std::string::npos);
}

TEST(FollowTest, ACallThatHasNoTimeToFollowIsTooLate) {
  EXPECT_TRUE(AfterMove(7, absl::Seconds(1)).delay.has_value());
  EXPECT_TRUE(AfterMove(8, absl::Seconds(1)).delay.has_value()) << "it was not executed";
  for (const int64_t known_epoch : {7, 8}) {
    const Outcome outcome = AfterMove(known_epoch, absl::ZeroDuration());
    EXPECT_FALSE(outcome.delay.has_value());
    EXPECT_EQ(outcome.status.code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_EQ(ReasonOf(outcome.status), "");
  }
}

TEST(FollowTest, WhoLagsBehindIsAskedEverLessOften) {
  // The third pause of the policy: 200 ms, of which chance takes a quarter off.
  EXPECT_EQ(AfterMove(8, absl::Seconds(1)).delay, absl::Milliseconds(150));
}

}  // namespace
}  // namespace ferrite
