#pragma once

// The bytes of a received message in one piece.

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <string_view>

namespace ferrite {

// Holds on to the bytes; copies them only if gRPC received them in pieces. Not thread-safe.
class WireBytes {
 public:
  explicit WireBytes(const grpc::ByteBuffer& buffer) {
    if (!buffer.Valid()) return;  // an empty message
    if (!buffer.TrySingleSlice(&slice_).ok()) buffer.DumpToSingleSlice(&slice_);
  }

  std::string_view view() const {
    return {reinterpret_cast<const char*>(slice_.begin()), slice_.size()};
  }

 private:
  grpc::Slice slice_;
};

}  // namespace ferrite
