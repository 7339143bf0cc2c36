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

  // Unix time. It may jump when somebody sets the clock. In nanoseconds, cheap but coarse (a few
  // milliseconds):
  virtual int64_t UnixNs() const = 0;
  // In milliseconds, exact:
  virtual int64_t UnixMs() const = 0;

  // The clock of this machine. Lives as long as the process.
  static const Clock& System();
};

}  // namespace ferrite
