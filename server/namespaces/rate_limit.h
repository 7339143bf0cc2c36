#pragma once

// So many operations per second, counted when they are done: nobody knows before how many a scan,
// or a frame that was not read yet, will be. So who takes many at once waits for longer afterwards.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace ferrite {

// A bucket of tokens, kept as the time at which it will be full again. Thread-safe.
class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  // What may come at once after a rest: a tenth of a second's, and at least so many.
  static constexpr int64_t kLeastBurst = 10;

  // 0: no limit.
  void Set(uint64_t per_second) {
    const int64_t each_ns = per_second == 0 ? 0 : kSecondNs / static_cast<int64_t>(per_second);
    // Too many to be told from no limit.
    each_ns_.store(each_ns, std::memory_order_relaxed);
  }

  // How long to wait until an operation may begin; zero: not at all.
  Clock::duration Wait(Clock::time_point now) const {
    const int64_t each_ns = each_ns_.load(std::memory_order_relaxed);
    if (each_ns == 0) return Clock::duration::zero();
    const int64_t ahead = full_at_ns_.load(std::memory_order_relaxed) - Ns(now);
    return std::chrono::nanoseconds(std::max<int64_t>(0, ahead - BurstNs(each_ns)));
  }

  // So many are done.
  void Charge(uint64_t operations, Clock::time_point now) {
    const int64_t each_ns = each_ns_.load(std::memory_order_relaxed);
    if (each_ns == 0 || operations == 0) return;
    const int64_t more = each_ns * static_cast<int64_t>(operations);
    int64_t full_at = full_at_ns_.load(std::memory_order_relaxed);
    while (!full_at_ns_.compare_exchange_weak(full_at, std::max(full_at, Ns(now)) + more,
                                              std::memory_order_relaxed)) {
    }
  }

 private:
  static constexpr int64_t kSecondNs = 1'000'000'000;

  static int64_t BurstNs(int64_t each_ns) {
    return std::max(kSecondNs / 10, (kLeastBurst - 1) * each_ns);
  }
  static int64_t Ns(Clock::time_point time) {
    return time.time_since_epoch() / std::chrono::nanoseconds(1);
  }

  std::atomic<int64_t> each_ns_{0};
  std::atomic<int64_t> full_at_ns_{0};
};

}  // namespace ferrite
