#include "client/slot_error.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/annotated.h"
#include "client/error.h"

namespace ferrite {
namespace {

// The longest pause before SLOT_MOVED is followed for the first time; it doubles each time.
constexpr absl::Duration kFirstFollowDelay = absl::Milliseconds(5);

std::string FactIn(const v1::OperationError& error, const char* name) {
  const auto found = error.metadata().find(name);
  return found == error.metadata().end() ? "" : found->second;
}

// The outcome of a call that was sent from node to node, in a circle; `last` is what the last of
// them said.
absl::Status MovedTooOften(const absl::Status& last) {
  return Annotated(last, "",
                   absl::StrCat("; ", kMostMoves + 1,
                                " nodes in turn have said that it is another's: they do not agree "
                                "on who owns it"));
}

// The outcome of a call that has no time left to go where `last` says.
absl::Status TooLateToFollow(const absl::Status& last) {
  return absl::DeadlineExceededError(
      absl::StrCat(last.message(), "; no time was left to call its owner"));
}

}  // namespace

SlotError SlotErrorIn(const v1::OperationError& error) {
  switch (error.reason()) {
    case v1::SLOT_MOVED: {
      SlotError moved = {.kind = SlotError::Kind::kMoved, .address = FactIn(error, "address")};
      if (!absl::SimpleAtoi(FactIn(error, "epoch"), &moved.epoch)) moved.epoch = 0;
      return moved;
    }
    case v1::SLOT_IN_TRANSITION:
    case v1::SLOT_UNOWNED:
    case v1::LEASE_LOST:
    case v1::PEER_UNREACHABLE:
      return {.kind = SlotError::Kind::kAway};
    default:
      return {};
  }
}

SlotError SlotErrorIn(const absl::Status& status) { return SlotErrorIn(ToOperationError(status)); }

Move Follow(const SlotError& moved, int64_t known_epoch, CallRoute* route) {
  if (moved.epoch < std::max(known_epoch, route->moved_epoch)) return Move::kWait;
  if (route->moves == kMostMoves) return Move::kTooOften;
  ++route->moves;
  route->moved_epoch = moved.epoch;
  route->moved_to = moved.address;
  return Move::kFollow;
}

absl::Duration FollowDelay(const CallRoute& route, double chance) {
  return kFirstFollowDelay * (1 << (route.moves - 1)) * chance;
}

std::optional<absl::Duration> DelayAfterMove(const SlotError& moved, int64_t known_epoch,
                                             const RetryPolicy& policy, const FailedAttempt& failed,
                                             double chance, CallRoute* route,
                                             absl::Status* status) {
  absl::Duration delay;
  switch (Follow(moved, known_epoch, route)) {
    case Move::kFollow:
      delay = FollowDelay(*route, chance);
      break;
    case Move::kWait:
      delay = Backoff(policy, failed.attempts, chance);
      break;
    case Move::kTooOften:
      *status = MovedTooOften(*status);
      return std::nullopt;
  }
  if (delay < failed.time_left) return delay;
  *status = TooLateToFollow(*status);
  return std::nullopt;
}

}  // namespace ferrite
