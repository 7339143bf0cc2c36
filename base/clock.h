#pragma once

// Where time comes from: a clock that is injected, so that tests can stop and move it, and for
// durations that no test moves, the steady clock in nanoseconds.

#include <chrono>
#include <cstdint>
#include <ctime>

namespace ferrite {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Milliseconds on a clock that never goes back; only differences mean anything.
  virtual int64_t MonotonicMs() const = 0;

  // Unix time. It may jump when somebody sets the clock. In microseconds, cheap but coarse (a few
  // milliseconds):
  virtual int64_t UnixUs() const = 0;
  // In milliseconds, exact:
  virtual int64_t UnixMs() const = 0;

  // The clock of this machine. Lives as long as the process.
  static const Clock& System();
};

// Nanoseconds on a clock that never goes back; only differences mean anything. The kernel's coarse
// clock would be cheaper, but on a virtual machine that has lost a processor for a while it is late
// by as long.
inline int64_t SteadyNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// The same on a clock that also runs while the machine sleeps.
inline int64_t BootNs() {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace ferrite
