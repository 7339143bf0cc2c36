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
  Ring& ring = call.times.execute_ns >= threshold_ns_ ? executed_ : waited_;
  if (ring.size() == capacity_) ring.pop_front();
  ring.push_back(std::move(call));
}

std::vector<SlowCall> SlowCalls::Newest(size_t limit, uint64_t after_id) const {
  if (limit == 0) limit = 2 * capacity_;
  std::vector<SlowCall> newest;
  MutexLock lock(&mutex_);
  auto executed = executed_.rbegin();
  auto waited = waited_.rbegin();
  while (newest.size() < limit) {
    const bool no_executed = executed == executed_.rend();
    const bool no_waited = waited == waited_.rend();
    if (no_executed && no_waited) break;
    const bool take_waited = no_executed || (!no_waited && waited->id > executed->id);
    const SlowCall& next = take_waited ? *waited++ : *executed++;
    if (next.id <= after_id) break;
    newest.push_back(next);
  }
  return newest;
}

size_t SlowCalls::Reset() {
  Ring executed, waited;  // their memory is given back when the lock is
  MutexLock lock(&mutex_);
  executed.swap(executed_);
  waited.swap(waited_);
  return executed.size() + waited.size();
}

}  // namespace ferrite
