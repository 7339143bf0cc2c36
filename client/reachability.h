#pragma once

// Whether it is worth trying to connect to a node: it is not for a moment after that failed, as
// another node can take the call.

#include <atomic>
#include <chrono>

namespace ferrite {

// Thread-safe.
class Reachability {
 public:
  bool IsDown() const {
    const Clock::rep until = down_until_.load(std::memory_order_relaxed);
    return until != 0 && Clock::now().time_since_epoch().count() < until;
  }

  // It could not be connected to just now.
  void NoteFailure() {
    down_until_.store((Clock::now() + kPause).time_since_epoch().count(),
                      std::memory_order_relaxed);
  }

 private:
  using Clock = std::chrono::steady_clock;
  // As long as gRPC pauses at most before it connects again (channel.h).
  static constexpr std::chrono::seconds kPause{1};

  std::atomic<Clock::rep> down_until_{0};
};

}  // namespace ferrite
