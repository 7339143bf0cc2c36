#pragma once

// Counters that each thread keeps for itself and that are summed when somebody asks: no lock, no
// label look-up, and no cache line that two threads write on the way of a call.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "server/call/method.h"
#include "server/call/shed_reason.h"

namespace ferrite {

// Written by one thread, read by any.
using Counter = std::atomic<uint64_t>;

inline constexpr size_t kStatusCodeCount = 17;

// Upper bounds of the latency buckets: from 10 us, where a cache lives, to the 10 s at which stock
// gRPC dashboards end.
inline constexpr std::array<double, 19> kLatencyBounds = {
    10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3,
    25e-3, 50e-3, 0.1,   0.25,   0.5,    1.0,    2.5,  5.0,    10.0};

// What is counted of one method.
struct MethodCounters {
  Counter started{0};
  std::array<Counter, kStatusCodeCount> handled{};  // by status code
  Counter received{0};                              // messages
  Counter sent{0};
  Counter keys_read{0};
  Counter keys_written{0};
  Counter bytes_received{0};  // of messages
  Counter bytes_sent{0};
  std::array<Counter, kLatencyBounds.size() + 1> latency{};  // by bucket, the last without bound
  Counter latency_sum_ns{0};
  Counter waits_begun{0};  // calls that could not be answered at once, and are not served meanwhile
  Counter waits_ended{0};

  // Counts a latency into its bucket and the sum.
  void Record(int64_t ns);
};

// What became of a key: the labels of ferrite_cache_requests_total.
enum class CacheOutcome : size_t {
  kGetHit,
  kGetMiss,
  kSetStored,
  kSetConditionFailed,
  kDeleteDeleted,
  kDeleteMiss,
  kTouchHit,
  kTouchMiss,
  kExistsHit,
  kExistsMiss,
  kIncrCreated,
  kIncrUpdated,
};
struct CacheOutcomeName {
  const char* op;
  const char* result;
};
// In the order of CacheOutcome. A key of MGet counts as a get, one of MSet as a set, one of MDelete
// as a delete.
inline constexpr std::array kCacheOutcomeNames = {
    CacheOutcomeName{"get", "hit"},        CacheOutcomeName{"get", "miss"},
    CacheOutcomeName{"set", "stored"},     CacheOutcomeName{"set", "condition_failed"},
    CacheOutcomeName{"delete", "deleted"}, CacheOutcomeName{"delete", "miss"},
    CacheOutcomeName{"touch", "hit"},      CacheOutcomeName{"touch", "miss"},
    CacheOutcomeName{"exists", "hit"},     CacheOutcomeName{"exists", "miss"},
    CacheOutcomeName{"incr", "created"},   CacheOutcomeName{"incr", "updated"},
};

// Keys that a thread has met, whatever the method. The difference over a step of a call is what the
// step met.
struct KeyTally {
  uint64_t read = 0;     // looked up or sent
  uint64_t written = 0;  // written, deleted, or left alone because of a condition
};

// All counters of one thread.
class ThreadCounters {
 public:
  // More than there are of ErrorReason.
  static constexpr size_t kMaxReasons = 128;

  // Those of the calling thread. It must have been given some by CounterRegistry::AttachThread.
  static ThreadCounters& Current() { return *current_; }

  // Adds without a locked instruction: this thread is the only writer.
  static void Add(Counter* counter, uint64_t n) {
    counter->store(counter->load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  MethodCounters& of(Method method) { return methods_[static_cast<size_t>(method)]; }
  const MethodCounters& of(Method method) const { return methods_[static_cast<size_t>(method)]; }

  void Count(CacheOutcome outcome, uint64_t n = 1) {
    Add(&outcomes_[static_cast<size_t>(outcome)], n);
    (IsRead(outcome) ? keys_.read : keys_.written) += n;
  }
  // Counts keys that no outcome stands for, such as those that a scan sends.
  void CountRead(uint64_t keys) { keys_.read += keys; }
  uint64_t count(CacheOutcome outcome) const {
    return outcomes_[static_cast<size_t>(outcome)].load(std::memory_order_relaxed);
  }
  void Count(ShedReason reason) { Add(&shed_[static_cast<size_t>(reason)], 1); }
  uint64_t count(ShedReason reason) const {
    return shed_[static_cast<size_t>(reason)].load(std::memory_order_relaxed);
  }
  // A reply that its client has not taken for too long.
  void CountStalledReply() { Add(&stalled_replies_, 1); }
  uint64_t stalled_replies() const { return stalled_replies_.load(std::memory_order_relaxed); }
  // By the number of an ErrorReason (CountRefusal in refusals.h).
  void CountRefusal(size_t reason) { Add(&refused_[reason % kMaxReasons], 1); }
  uint64_t refused(size_t reason) const { return refused_[reason].load(std::memory_order_relaxed); }

  // For this thread only.
  const KeyTally& keys() const { return keys_; }

 private:
  friend class CounterRegistry;
  static constinit thread_local ThreadCounters* current_;

  static constexpr bool IsRead(CacheOutcome outcome) {
    switch (outcome) {
      case CacheOutcome::kGetHit:
      case CacheOutcome::kGetMiss:
      case CacheOutcome::kTouchHit:
      case CacheOutcome::kTouchMiss:
      case CacheOutcome::kExistsHit:
      case CacheOutcome::kExistsMiss:
        return true;
      default:
        return false;
    }
  }

  std::array<MethodCounters, kMethodCount> methods_;
  std::array<Counter, kCacheOutcomeNames.size()> outcomes_{};
  std::array<Counter, kShedReasonNames.size()> shed_{};
  std::array<Counter, kMaxReasons> refused_{};
  Counter stalled_replies_{0};
  KeyTally keys_;
};

// The counters of all threads. Thread-safe.
class CounterRegistry {
 public:
  // Gives the calling thread its counters; they outlive it.
  void AttachThread();

  // The sum over all threads of what `read` finds in each.
  uint64_t Sum(const std::function<uint64_t(const ThreadCounters&)>& read) const;

  // Calls of Ferrite's own services that have started and not ended.
  uint64_t Inflight() const;
  uint64_t Inflight(Method method) const;
  // Of these, those that wait for something other than their thread.
  uint64_t Waiting(Method method) const;

 private:
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<ThreadCounters>> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
