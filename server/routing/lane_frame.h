#pragma once

// A frame of parcels on its way through a lane.

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "server/call/reply_writer.h"
#include "server/call/request.h"
#include "server/routing/lane_operation.h"

namespace ferrite {

struct LaneFrame {
  std::vector<std::shared_ptr<LaneParcel>> parcels;
  size_t operations = 0;
  size_t bytes = 0;

  void Add(std::shared_ptr<LaneParcel> parcel) {
    operations += parcel->operations.size();
    bytes += parcel->bytes;
    parcels.push_back(std::move(parcel));
  }
};

// Appends the operations as a PipelineRequest that leaves at `now`. A large message that a parcel
// keeps is not copied.
void WriteLaneFrame(const LaneFrame& frame, LaneOperation::Clock::time_point now,
                    ReplyWriter* message);

// Ends the parcels of the frame that have not ended yet with the results in its reply, a
// PipelineResponse. False if that is malformed or has another number of results: then none has.
bool EndByReply(const LaneFrame& frame, const std::shared_ptr<const Request>& reply);

}  // namespace ferrite
