#pragma once

// A frame of operations on its way through a lane.

#include <memory>
#include <vector>

#include "server/call/reply_writer.h"
#include "server/call/request.h"
#include "server/routing/lane_operation.h"

namespace ferrite {

using LaneFrame = std::vector<std::shared_ptr<LaneOperation>>;

// Appends the operations as a PipelineRequest that leaves at `now`. The message of a large one is
// not copied.
void WriteLaneFrame(const LaneFrame& frame, LaneOperation::Clock::time_point now,
                    ReplyWriter* message);

// Ends the operations of the frame that have not ended yet with the results of its reply, a
// PipelineResponse. False if that is malformed or has another number of results: then none has.
bool EndByReply(const LaneFrame& frame, const std::shared_ptr<const Request>& reply);

}  // namespace ferrite
