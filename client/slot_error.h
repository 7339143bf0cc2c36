#pragma once

// What a cluster's errors say of the slot of a key: that another node owns it, or that nobody
// serves it for now.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
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
  // If kAway: what was asked may have been done. After kMoved it certainly was not.
  bool may_be_done = false;
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
// How long to wait before that. `chance` is uniform in [0, 1): clients that meet a new map together
// do not come to its new owners together.
absl::Duration FollowDelay(const CallRoute& route, double chance);

// The outcome of a call that was sent from node to node, in a circle; `last` is what the last of
// them said.
absl::Status MovedTooOften(const absl::Status& last);

}  // namespace ferrite
