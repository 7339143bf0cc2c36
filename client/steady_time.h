#pragma once

#include <chrono>

#include "grpc/support/time.h"

namespace ferrite {

// A time of the steady clock as gRPC takes it. One of the wall clock would be off by as much as
// that is set between here and gRPC.
inline gpr_timespec ToGrpc(std::chrono::steady_clock::time_point time) {
  const auto since = time.time_since_epoch();  // the epoch of CLOCK_MONOTONIC
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  return {seconds.count(), static_cast<int32_t>((since - seconds) / std::chrono::nanoseconds(1)),
          GPR_CLOCK_MONOTONIC};
}

// The time when so long has passed.
inline gpr_timespec GrpcTimeIn(std::chrono::nanoseconds duration) {
  return ToGrpc(std::chrono::steady_clock::now() + duration);
}

}  // namespace ferrite
