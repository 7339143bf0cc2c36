#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace ferrite {

// A clock that stands still until told to move. Thread-safe.
class FakeClock final : public Clock {
 public:
  int64_t MonotonicMs() const override { return monotonic_ms_; }
  int64_t UnixUs() const override { return unix_ms_ * 1000; }
  int64_t UnixMs() const override { return unix_ms_; }

  void Advance(int64_t ms) {
    monotonic_ms_ += ms;
    unix_ms_ += ms;
  }
  // Somebody sets the wall clock.
  void SetUnixMs(int64_t ms) { unix_ms_ = ms; }

 private:
  std::atomic<int64_t> monotonic_ms_{1'000'000};
  std::atomic<int64_t> unix_ms_{1'700'000'000'000};
};

}  // namespace ferrite
