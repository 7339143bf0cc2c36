#pragma once

// How much memory the events may take that wait for all streams together, and what became of them.

#include <atomic>
#include <cstdint>

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
