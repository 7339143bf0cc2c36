#pragma once

// What a request is about, for the slow log: read off its fields, whatever its type.

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <string>

#include "server/engine/method.h"

namespace ferrite {

// Bytes of a key that are kept.
inline constexpr size_t kSubjectKeyBytes = 64;

struct CallSubject {
  std::string key;    // its first bytes; empty unless the call is on one key or a prefix
  uint32_t keys = 0;  // keys or operations
};

// Of a message of protobuf.
template <typename Request>
CallSubject SubjectOf(const Request& request) {
  if constexpr (requires { request.key(); }) {
    return {request.key().substr(0, kSubjectKeyBytes), 1};
  } else if constexpr (requires { request.prefix(); }) {
    return {request.prefix().substr(0, kSubjectKeyBytes), 0};
  } else if constexpr (requires { request.keys_size(); }) {
    return {"", static_cast<uint32_t>(request.keys_size())};
  } else if constexpr (requires { request.entries_size(); }) {
    return {"", static_cast<uint32_t>(request.entries_size())};
  } else if constexpr (requires { request.operations_size(); }) {
    return {"", static_cast<uint32_t>(request.operations_size())};
  } else {
    return {};
  }
}

// Of the bytes of a request of `method`. Parses them: for slow calls only.
CallSubject SubjectOf(Method method, const grpc::ByteBuffer& request);
template <typename Request>
CallSubject SubjectOf(Method, const Request& request) {
  return SubjectOf(request);
}

}  // namespace ferrite
