#include "server/steady/timespec.h"

namespace ferrite {

gpr_timespec ToTimespec(std::chrono::steady_clock::time_point time) {
  const auto since = time.time_since_epoch();  // the epoch of CLOCK_MONOTONIC
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  return {seconds.count(), static_cast<int32_t>((since - seconds) / std::chrono::nanoseconds(1)),
          GPR_CLOCK_MONOTONIC};
}

}  // namespace ferrite
