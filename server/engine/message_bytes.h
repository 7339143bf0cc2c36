#pragma once

// Messages as memory.

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstdint>

namespace ferrite {

inline uint64_t BytesOf(const google::protobuf::MessageLite& message) {
  return message.ByteSizeLong();
}
inline uint64_t BytesOf(const grpc::ByteBuffer& message) { return message.Length(); }

// Empties a message of so many bytes for its next use. It keeps its memory, which saves the next
// call from asking for it, unless that is more than calls usually need.
template <typename Message>
void Empty(uint64_t bytes, Message* message) {
  constexpr uint64_t kKeptBytes = 4 << 20;
  if (bytes > kKeptBytes) {
    *message = Message();
  } else {
    message->Clear();
  }
}

}  // namespace ferrite
