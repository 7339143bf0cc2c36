#include "server/slowlog/slow_calls.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ferrite {
namespace {

// What no call takes: none is slow.
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

int64_t Nanoseconds(std::optional<absl::Duration> threshold) {
  return threshold.has_value() ? absl::ToInt64Nanoseconds(*threshold) : kNever;
}

}  // namespace

SlowCalls::SlowCalls(std::optional<absl::Duration> threshold, size_t capacity)
    : threshold_ns_(Nanoseconds(threshold)), capacity_(std::max<size_t>(1, capacity)) {}

void SlowCalls::SetThreshold(std::optional<absl::Duration> threshold) {
  threshold_ns_.store(Nanoseconds(threshold), std::memory_order_relaxed);
}

std::optional<absl::Duration> SlowCalls::threshold() const {
  const int64_t threshold_ns = threshold_ns_.load(std::memory_order_relaxed);
  if (threshold_ns == kNever) return std::nullopt;
  return absl::Nanoseconds(threshold_ns);
}

void SlowCalls::Add(SlowCall call) {
  MutexLock lock(&mutex_);
  call.id = added() + 1;
  added_.store(call.id, std::memory_order_relaxed);
  Ring& ring =
      call.times.execute_ns >= threshold_ns_.load(std::memory_order_relaxed) ? executed_ : waited_;
  if (ring.size() == capacity_) ring.pop_front();
  ring.push_back(std::move(call));
}

std::vector<SlowCall> SlowCalls::Newest(size_t limit, uint64_t after_id,
                                        const std::string* name_space) const {
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
    if (name_space == nullptr || next.name_space == name_space) newest.push_back(next);
  }
  return newest;
}

void SlowCalls::Forget(const std::string* name_space) {
  const auto is_of_it = [name_space](const SlowCall& call) {
    return call.name_space == name_space;
  };
  MutexLock lock(&mutex_);
  std::erase_if(executed_, is_of_it);
  std::erase_if(waited_, is_of_it);
}

size_t SlowCalls::Reset() {
  Ring executed, waited;  // their memory is given back when the lock is
  MutexLock lock(&mutex_);
  executed.swap(executed_);
  waited.swap(waited_);
  return executed.size() + waited.size();
}

}  // namespace ferrite
