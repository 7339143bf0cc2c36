#include "client/slot_error.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/annotated.h"
#include "client/error.h"
#include "ferrite/internal/v1/standard.pb.h"

namespace ferrite {
namespace {

// The longest pause before SLOT_MOVED is followed for the first time; it doubles each time.
constexpr absl::Duration kFirstFollowDelay = absl::Milliseconds(5);

template <class Facts>
std::string FactIn(const Facts& facts, const char* name) {
  const auto found = facts.find(name);
  return found == facts.end() ? "" : found->second;
}

template <class Facts>
SlotError SlotErrorOf(v1::ErrorReason reason, const Facts& facts) {
  switch (reason) {
    case v1::SLOT_MOVED: {
      SlotError moved = {.kind = SlotError::Kind::kMoved, .address = FactIn(facts, "address")};
      if (!absl::SimpleAtoi(FactIn(facts, "epoch"), &moved.epoch)) moved.epoch = 0;
      return moved;
    }
    case v1::SLOT_IN_TRANSITION:
    case v1::SLOT_UNOWNED:
      return {.kind = SlotError::Kind::kAway};
    case v1::LEASE_LOST:
    case v1::PEER_UNREACHABLE:
      return {.kind = SlotError::Kind::kAway, .may_be_done = FactIn(facts, "executed") != "no"};
    default:
      return {};
  }
}

}  // namespace

SlotError SlotErrorIn(const v1::OperationError& error) {
  return SlotErrorOf(error.reason(), error.metadata());
}

SlotError SlotErrorIn(const absl::Status& status) {
  const auto payload = status.GetPayload(kErrorInfoTypeUrl);
  internal::v1::ErrorInfo info;
  v1::ErrorReason reason;
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload)) ||
      !v1::ErrorReason_Parse(info.reason(), &reason)) {
    return {};
  }
  return SlotErrorOf(reason, info.metadata());
}

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

absl::Status MovedTooOften(const absl::Status& last) {
  return Annotated(last, "",
                   absl::StrCat("; ", kMostMoves + 1,
                                " nodes in turn have said that it is another's: they do not agree "
                                "on who owns it"));
}

}  // namespace ferrite
