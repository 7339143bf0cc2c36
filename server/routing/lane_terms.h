#pragma once

// What the lanes of one thread go by, and what they share.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/admission/inflight_budget.h"
#include "server/engine/peer_stream.h"
#include "server/engine/timers.h"
#include "server/routing/held_replies.h"
#include "server/routing/routing_tally.h"

namespace ferrite {

class Lane;

// As the settings say.
struct LaneLimits {
  // A peer that answers nothing for so long is asked whether it lives, and taken for dead if it
  // does not say so within the same time.
  std::chrono::milliseconds patience{3000};
  // Older streams get no more frames, and make room for new ones: a peer that limits the age of
  // connections closes one only some time after it has told to use another.
  std::chrono::milliseconds stream_age{5000};
  // Of an operation: a frame with it is no larger than a request may be that comes to a peer whose
  // limits are those of this node.
  size_t operation_bytes = size_t{4} << 20;
  // A peer limits the streams of a connection.
  size_t streams_of_connection = 256;
  // Of answers of peers that are kept at a time, of all threads.
  uint64_t reply_bytes = uint64_t{64} << 20;
};

// All must outlive the lanes.
struct LaneTerms {
  LaneLimits limits;
  PeerConnector* connector = nullptr;
  Timers* timers = nullptr;
  // What is forwarded counts there while it is under way, beside the call that it is of.
  InflightBudget* budget = nullptr;
  HeldReplies* replies = nullptr;
  RoutingTally* tally = nullptr;
  // Those that may have something to send, which the thread asks to between its steps.
  std::vector<Lane*>* to_flush = nullptr;
};

}  // namespace ferrite
