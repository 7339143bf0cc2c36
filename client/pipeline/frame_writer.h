#pragma once

// Writes the bytes of a PipelineRequest directly from requests, without building the message.

#include <vector>

#include "client/pipeline/pending_call.h"
#include "grpcpp/support/byte_buffer.h"

namespace ferrite {

// A PipelineRequest with the operations of `calls`, in their order.
grpc::ByteBuffer WriteFrame(const std::vector<PendingCall*>& calls);

}  // namespace ferrite
