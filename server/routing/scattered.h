#pragma once

// The operations of one batch or frame, whose keys belong to several nodes.
//
// Each goes its way: those that are served here together, as a frame of their own; others into the
// lanes of their owners; and some fail at once. Those about one slot keep their order, as they go
// the same way. When all have ended, their results are put together in the order of the request.
//
// Operations that were not executed, as their results found no room in the reply of their frame,
// are sent again, as many as will fit into a reply beside the results before them. Of a frame of a
// stream, only if no later operation about the same slot has overtaken it, unless both only read.

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "server/call/reply_writer.h"
#include "server/engine/rpc.h"
#include "server/routing/forwarded_result.h"
#include "server/routing/thread_routing.h"

namespace ferrite {

// One operation, before it goes. Points into the request of its call.
struct ScatteredOperation {
  LaneOperation operation;
  absl::Status problem;  // why it fails at once
  // What it is about; if empty, it is refused by whoever executes it, as is done here.
  std::string_view key;
  bool reads = false;  // it changes nothing, so the order of two such does not matter
};

// One result, and what keeps it if it was forwarded.
struct ScatteredResult {
  ForwardedResult result;
  const std::shared_ptr<const Request>* reply = &kNoReply;

  static inline const std::shared_ptr<const Request> kNoReply;
};
using ScatteredResults = std::vector<ScatteredResult>;

// Writes the answer to a call, from the results of all of its operations.
using Gather = absl::Status (*)(const ScatteredResults& results, ReplyWriter* reply);

// Has the operations executed, and sets what will answer `turn`. `frames` answers frames of
// operations that are served here. `in_order`: they are a frame of a stream. The pointers must
// outlive the call.
absl::Status Scatter(const std::vector<ScatteredOperation>& operations, bool in_order,
                     Gather gather, const Handler* frames, ThreadRouting* here, Turn* turn);

}  // namespace ferrite
