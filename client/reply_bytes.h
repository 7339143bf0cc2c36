#pragma once

// The bytes of a received message in one piece.

#include <string_view>

#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"

namespace ferrite {

// Holds on to the bytes; copies them only if gRPC received them in pieces. Not thread-safe.
class ReplyBytes {
 public:
  explicit ReplyBytes(const grpc::ByteBuffer& reply) {
    if (!reply.Valid()) return;  // an empty message
    if (!reply.TrySingleSlice(&slice_).ok()) reply.DumpToSingleSlice(&slice_);
  }

  std::string_view view() const {
    return {reinterpret_cast<const char*>(slice_.begin()), slice_.size()};
  }

 private:
  grpc::Slice slice_;
};

}  // namespace ferrite
