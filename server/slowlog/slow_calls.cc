#include "server/slowlog/slow_calls.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ferrite {

SlowCalls::SlowCalls(std::optional<absl::Duration> threshold, size_t capacity)
    : threshold_(threshold),
      threshold_ns_(threshold.has_value() ? absl::ToInt64Nanoseconds(*threshold)
                                          : std::numeric_limits<int64_t>::max()),
      capacity_(std::max<size_t>(1, capacity)) {}

void SlowCalls::Add(SlowCall call) {
  MutexLock lock(&mutex_);
  call.id = added() + 1;
  added_.store(call.id, std::memory_order_relaxed);
  if (calls_.size() == capacity_) calls_.pop_front();
  calls_.push_back(std::move(call));
}

std::vector<SlowCall> SlowCalls::Newest(size_t limit, uint64_t after_id) const {
  if (limit == 0) limit = capacity_;
  std::vector<SlowCall> newest;
  MutexLock lock(&mutex_);
  for (auto call = calls_.rbegin(); call != calls_.rend(); ++call) {
    if (newest.size() == limit || call->id <= after_id) break;
    newest.push_back(*call);
  }
  return newest;
}

size_t SlowCalls::Reset() {
  std::deque<SlowCall> forgotten;  // its memory is given back when the lock is
  MutexLock lock(&mutex_);
  forgotten.swap(calls_);
  return forgotten.size();
}

}  // namespace ferrite
