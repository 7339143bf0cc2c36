#pragma once

// Times as the core is told them.

#include <cstdint>

namespace ferrite::cluster {

struct Moment {
  // Of a clock that never goes back, and that runs while the machine sleeps: CLOCK_BOOTTIME.
  int64_t steady_ns = 0;
  // Unix time. It may be wrong, and jump.
  int64_t wall_us = 0;
};

inline constexpr int64_t kNever = INT64_MAX;  // as a time of the steady clock
inline constexpr int64_t kNsPerMs = 1'000'000;
inline constexpr int64_t kUsPerSecond = 1'000'000;

}  // namespace ferrite::cluster
