#pragma once

// Where the store gets the time from. Injected, so that tests can stop and move it.

#include <cstdint>

namespace ferrite {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Milliseconds on a clock that never goes back; only differences mean anything.
  virtual int64_t MonotonicMs() const = 0;

  // Unix time in nanoseconds. May be coarse (a few milliseconds) and may jump when somebody sets the clock.
  virtual int64_t UnixNs() const = 0;

  // The clock of this machine. Lives as long as the process.
  static const Clock& System();
};

}  // namespace ferrite
