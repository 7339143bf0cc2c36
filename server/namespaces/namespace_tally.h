#pragma once

// What became of the keys of one namespace, besides what threads count of all of them.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "server/metrics/thread_counters.h"

namespace ferrite {

// Thread-safe.
class NamespaceTally {
 public:
  using Outcomes = std::array<uint64_t, kCacheOutcomeNames.size()>;

  // What the calling thread has counted so far, of whatever namespace.
  static Outcomes OfThread() {
    Outcomes outcomes;
    const ThreadCounters& counters = ThreadCounters::Current();
    for (size_t i = 0; i < outcomes.size(); ++i)
      outcomes[i] = counters.count(static_cast<CacheOutcome>(i));
    return outcomes;
  }

  // The thread did something for this namespace since then.
  void AddSince(const Outcomes& before) {
    const Outcomes now = OfThread();
    for (size_t i = 0; i < now.size(); ++i) {
      if (now[i] != before[i]) counts_[i].fetch_add(now[i] - before[i], std::memory_order_relaxed);
    }
  }
  void CountRefused(uint64_t operations) {
    refused_.fetch_add(operations, std::memory_order_relaxed);
  }

  uint64_t count(CacheOutcome outcome) const {
    return counts_[static_cast<size_t>(outcome)].load(std::memory_order_relaxed);
  }
  // By a limit of the namespace.
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, kCacheOutcomeNames.size()> counts_{};
  std::atomic<uint64_t> refused_{0};
};

}  // namespace ferrite
