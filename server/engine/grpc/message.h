#pragma once

// Messages, between gRPC's buffers and the engine's bytes.

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <optional>
#include <vector>

#include "server/call/reply_writer.h"
#include "server/call/request.h"

namespace ferrite {

// A message that gRPC has received. Not thread-safe.
class ReceivedMessage {
 public:
  // Where gRPC is to put the next message; nothing is known of the one before it any more.
  grpc::ByteBuffer* Receive() {
    Clear();
    return &buffer_;
  }
  // The message: valid until Receive() or Clear(). Empty if none was received.
  const Request& request() const {
    if (!request_.has_value()) Open();
    return *request_;
  }
  // Whether it came compressed; then request() has the compressed bytes.
  bool compressed() const;
  // Lets go of its memory.
  void Clear();

 private:
  void Open() const;

  mutable grpc::ByteBuffer buffer_;
  mutable std::vector<grpc::Slice> slices_;  // if there are several
  mutable grpc::Slice slice_;                // if there is one
  mutable std::optional<Request> request_;
};

// Takes the message out of the writer: as a copy if it is small, else without copying a byte.
grpc::ByteBuffer TakeMessage(ReplyWriter* writer);

}  // namespace ferrite
