#pragma once

#include <grpc/support/time.h>

#include <chrono>

namespace ferrite {

// A time of the steady clock as gRPC takes it.
gpr_timespec ToTimespec(std::chrono::steady_clock::time_point time);

}  // namespace ferrite
