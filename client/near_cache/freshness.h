#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "absl/time/time.h"

namespace ferrite {

// Until when a near cache is known to be fresh enough. Thread-safe. Times are in nanoseconds of one
// steady clock.
class Freshness {
 public:
  explicit Freshness(absl::Duration max_staleness)
      : max_staleness_ns_(absl::ToInt64Nanoseconds(max_staleness)) {}

  // Everything that had happened before `sent_ns` has been applied.
  void AppliedAsOf(int64_t sent_ns) {
    const int64_t until_ns = sent_ns + max_staleness_ns_;
    int64_t known_ns = until_ns_.load(std::memory_order_relaxed);
    while (known_ns < until_ns &&
           !until_ns_.compare_exchange_weak(known_ns, until_ns, std::memory_order_release,
                                            std::memory_order_relaxed)) {
    }
  }

  // Whether an entry that is found from now on was current max_staleness before `now_ns`, or later.
  bool HoldsAt(int64_t now_ns) const { return now_ns <= until_ns_.load(std::memory_order_acquire); }

  int64_t max_staleness_ns() const { return max_staleness_ns_; }

 private:
  const int64_t max_staleness_ns_;
  std::atomic<int64_t> until_ns_{std::numeric_limits<int64_t>::min()};
};

}  // namespace ferrite
