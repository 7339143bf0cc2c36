#pragma once

// Whether a node knows the Pipeline RPC. An older server answers UNIMPLEMENTED; as it may be
// replaced by a newer one, it is asked again after a while.

#include <atomic>
#include <chrono>

namespace ferrite {

// Thread-safe.
class PipelineSupport {
 public:
  // Whether it is worth a try.
  bool is_likely() const {
    const Clock::rep until = missing_until_.load(std::memory_order_relaxed);
    return until == 0 || Clock::now().time_since_epoch().count() >= until;
  }

  // The node has just said that it does not know Pipeline.
  void NoteMissing() {
    missing_until_.store((Clock::now() + kPause).time_since_epoch().count(),
                         std::memory_order_relaxed);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::minutes kPause{1};

  std::atomic<Clock::rep> missing_until_{0};
};

}  // namespace ferrite
