#pragma once

// When the server wants a client to come again, as it says at the end of a call.

#include <optional>
#include <string>

#include "grpcpp/client_context.h"

namespace ferrite {

// The trailing metadata `grpc-retry-pushback-ms`; absent if there is none. RetryDelay() in retry.h
// says what it means. The call must have ended.
inline std::optional<std::string> PushbackIn(const grpc::ClientContext& context) {
  const auto& metadata = context.GetServerTrailingMetadata();
  const auto found = metadata.find("grpc-retry-pushback-ms");
  if (found == metadata.end()) return std::nullopt;
  return std::string(found->second.data(), found->second.size());
}

}  // namespace ferrite
