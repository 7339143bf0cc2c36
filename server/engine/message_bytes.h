#pragma once

// How large a message is on the wire, whether it is one of protobuf or its bytes.

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstdint>

namespace ferrite {

template <typename Message>
uint64_t MessageBytes(const Message& message) {
  return message.ByteSizeLong();
}
inline uint64_t MessageBytes(const grpc::ByteBuffer& bytes) {
  return bytes.Valid() ? bytes.Length() : 0;
}

// The same of a message that gRPC has just serialized, which costs nothing.
template <typename Message>
uint64_t SentBytes(const Message& message) {
  return static_cast<uint64_t>(message.GetCachedSize());
}
inline uint64_t SentBytes(const grpc::ByteBuffer& bytes) { return MessageBytes(bytes); }

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
