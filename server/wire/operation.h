#pragma once

// The operations of a frame, within the limits of this server.

#include <cstddef>
#include <string_view>
#include <vector>

#include "proto/wire/frame_operation.h"
#include "store/operation.h"

namespace ferrite {

// As ParseFrame of proto/wire/frame_operation.h.
inline bool ParseFrame(std::string_view frame, size_t count, size_t max_value_bytes,
                       std::vector<FrameOperation>* operations) {
  const OperationLimits limits = {
      .key_bytes = kMaxKeyBytes, .value_bytes = max_value_bytes, .ttl_ms = kMaxTtlMs};
  return ParseFrame(frame, count, limits, operations);
}

}  // namespace ferrite
