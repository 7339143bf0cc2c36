#pragma once

#include <chrono>
#include <cstdint>

namespace ferrite {

// The clock of near caches, in nanoseconds. The kernel's coarse clock would be cheaper, but on a
// virtual machine that has lost one of its processors for a while it is late by as much, and a
// promise about staleness would not hold.
inline int64_t NearClockNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace ferrite
