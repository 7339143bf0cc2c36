#pragma once

// Writes the bytes of a PipelineRequest directly from requests, without building the message.

#include <chrono>
#include <vector>

#include "client/pipeline/pending_call.h"
#include "grpcpp/support/byte_buffer.h"

namespace ferrite {

// A PipelineRequest with the operations of `calls`, in their order, each with the time that is left
// to it at `now`: 1 ms if its deadline has passed.
grpc::ByteBuffer WriteFrame(const std::vector<PendingCall*>& calls,
                            std::chrono::steady_clock::time_point now);

}  // namespace ferrite
