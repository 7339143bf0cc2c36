#pragma once

// The calls of late that took long.
//
// A call that keeps its thread for long makes all calls behind it wait for long: so many that they
// would push it out before anyone has looked. So calls that took long themselves and those that
// only waited have room of their own. A frame of Pipeline counts as one call, as its operations
// share their wait and their execution.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/mutex.h"
#include "server/call/call_times.h"
#include "server/call/method.h"
#include "server/slowlog/trace_parent.h"

namespace ferrite {

// What is kept of a call. v1::SlowCall says what each field means.
struct SlowCall {
  uint64_t id = 0;  // given by SlowCalls::Add
  int64_t unix_ms = 0;
  Method method{};
  const std::string* name_space = nullptr;  // null: default (namespace_name.h)
  std::string key;
  uint32_t keys = 0;
  uint64_t request_bytes = 0;
  uint64_t response_bytes = 0;
  CallTimes times;
  std::string peer;
  int code = 0;
  std::optional<TraceParent> trace;
  std::vector<TraceParent> operation_traces;
};

// Keeps the newest. Thread-safe; IsSlow takes no lock, so that a call that is not slow pays one
// comparison.
class SlowCalls {
 public:
  // Calls that take `threshold` or more are slow; absent: none is. `capacity` of those that were
  // executed for as long are kept, and as many that waited; at least 1 of each.
  SlowCalls(std::optional<absl::Duration> threshold, size_t capacity);

  bool IsSlow(const CallTimes& times) const {
    return times.sum_ns() >= threshold_ns_.load(std::memory_order_relaxed);
  }

  // Calls that are answered from now on are measured by it.
  void SetThreshold(std::optional<absl::Duration> threshold);

  // Gives the call the next id and keeps it; the oldest of its kind goes if there is no room.
  void Add(SlowCall call);

  // Up to `limit` calls (0: all that are kept) with an id above `after_id`, newest first: of that
  // namespace, or with null of all.
  std::vector<SlowCall> Newest(size_t limit, uint64_t after_id,
                               const std::string* name_space = nullptr) const;
  // Those of a namespace that is gone, so that one of the same name does not inherit them.
  void Forget(const std::string* name_space);

  // Forgets all calls and returns how many there were. Ids go on.
  size_t Reset();

  // How many calls were ever added.
  uint64_t added() const { return added_.load(std::memory_order_relaxed); }

  std::optional<absl::Duration> threshold() const;

 private:
  using Ring = std::deque<SlowCall>;  // oldest first

  std::atomic<int64_t> threshold_ns_;
  const size_t capacity_;
  std::atomic<uint64_t> added_{0};  // written with the mutex held
  mutable Mutex mutex_;
  Ring executed_ ABSL_GUARDED_BY(mutex_);
  Ring waited_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
