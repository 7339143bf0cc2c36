#pragma once

// What a cluster's errors say of the slot of a key: that another node owns it, or that nobody
// serves it for now.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/retry.h"
#include "client/topology/call_route.h"
#include "ferrite/v1/cache.pb.h"

namespace ferrite {

struct SlotError {
  enum class Kind : uint8_t {
    kNone,   // it is about something else
    kMoved,  // another node owns the slot
    kAway,   // nobody serves it, or its owner is not reached, for now
  };

  Kind kind = Kind::kNone;
  // If kMoved: who owns it, and the epoch of the map that says so. An empty address: not told.
  std::string address = {};
  int64_t epoch = 0;
};

SlotError SlotErrorIn(const v1::OperationError& error);
// In the status of a call.
SlotError SlotErrorIn(const absl::Status& status);

// What to do about SLOT_MOVED.
enum class Move : uint8_t {
  kFollow,    // the route leads to where it says
  kWait,      // what is known is newer than what the node knows: ask it again when it has caught up
  kTooOften,  // it has been followed as often as it may
};
// `known_epoch` is that of the client's picture.
Move Follow(const SlotError& moved, int64_t known_epoch, CallRoute* route);
// How long to wait before a move is followed. `chance` is uniform in [0, 1): clients that meet a
// new map together do not come to its new owners together.
absl::Duration FollowDelay(const CallRoute& route, double chance);

// How long a call waits after SLOT_MOVED, which `status` says, and then goes where the route leads.
// It was not executed, so neither this nor the policy's number of tries matters. Absent: the call
// ends with `status`, which tells of the circle in which it was sent, or that its time is over.
std::optional<absl::Duration> DelayAfterMove(const SlotError& moved, int64_t known_epoch,
                                             const RetryPolicy& policy, const FailedAttempt& failed,
                                             double chance, CallRoute* route, absl::Status* status);

}  // namespace ferrite
