#pragma once

// Writes the bytes of a PipelineRequest straight from requests, without messages in between.

#include <cstddef>
#include <vector>

#include "client/pipeline/pending_call.h"
#include "grpcpp/support/byte_buffer.h"

namespace ferrite {

// What the operation of a call takes up in a frame.
size_t BytesInFrame(const PendingCall& call);

// A PipelineRequest with the operations of `calls`, in their order.
grpc::ByteBuffer WriteFrame(const std::vector<PendingCall*>& calls);

}  // namespace ferrite
