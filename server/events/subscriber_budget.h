#pragma once

// How much memory the events may take that wait for all streams together, and what became of them.

#include <atomic>
#include <cstdint>
#include <utility>

#include "ferrite/v1/cache.pb.h"

namespace ferrite {

// Each queue counts its events in full, although they share their memory with others: so the sum is
// an upper bound. Thread-safe.
class SubscriberBudget {
 public:
  explicit SubscriberBudget(uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  bool Allows(uint64_t bytes) const { return held() + bytes <= limit_bytes_; }
  // A stream holds so many more bytes, or fewer.
  void Change(int64_t bytes) {
    held_.fetch_add(static_cast<uint64_t>(bytes), std::memory_order_relaxed);
  }

  uint64_t held() const { return held_.load(std::memory_order_relaxed); }
  uint64_t limit_bytes() const { return limit_bytes_; }

 private:
  const uint64_t limit_bytes_;
  std::atomic<uint64_t> held_{0};
};

// Changes of one thread, collected: each change of the count that all threads share costs a locked
// instruction. Not thread-safe.
class BudgetBatch {
 public:
  explicit BudgetBatch(SubscriberBudget* budget) : budget_(*budget) {}

  bool Allows(uint64_t bytes) const {
    return budget_.Allows(bytes + static_cast<uint64_t>(collected_));
  }
  void Change(int64_t bytes) {
    collected_ += bytes;
    if (collected_ > kMostCollected) Flush();
  }
  // So that all threads know. To be called before what was added is taken away elsewhere.
  void Flush() { budget_.Change(std::exchange(collected_, 0)); }

 private:
  static constexpr int64_t kMostCollected = int64_t{1} << 20;

  SubscriberBudget& budget_;
  int64_t collected_ = 0;
};

// Counts for metrics, since the start. Thread-safe.
struct EventTally {
  std::atomic<uint64_t> published{0};  // messages, also those that nobody follows
  std::atomic<uint64_t> recorded{0};   // events that went into the log
  std::atomic<uint64_t> delivered{0};  // events that went out, once for each stream
  std::atomic<uint64_t> coalesced{0};
  std::atomic<uint64_t> streams_ended{0};  // by SLOW_CONSUMER_POLICY_END
  std::atomic<uint64_t> overflows{0};      // queues that were full
  std::atomic<uint64_t> discontinuities[v1::DiscontinuityReason_ARRAYSIZE] = {};  // by reason
};

}  // namespace ferrite
