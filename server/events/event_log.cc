#include "server/events/event_log.h"

#include <algorithm>
#include <iterator>
#include <random>
#include <utility>

#include "absl/container/inlined_vector.h"

namespace ferrite {
namespace {

uint64_t NewProcessId() {
  std::random_device random;
  return uint64_t{random()} << 32 | random();
}

}  // namespace

EventLog::EventLog(const EventLogLimits& limits) : limits_(limits), process_(NewProcessId()) {}

uint64_t EventLog::Append(std::shared_ptr<RecordedEvent> event) {
  absl::InlinedVector<EventRef, 4> gone;  // freed after the lock
  const uint64_t event_bytes = event->memory_bytes();
  MutexLock lock(&mutex_);
  const uint64_t sequence = last_sequence_.load(std::memory_order_relaxed) + 1;
  event->SetPlace({process_, sequence});
  events_.push_back(std::move(event));
  bytes_ += event_bytes;
  while (events_.size() > 1 && (events_.size() > limits_.events || bytes_ > limits_.bytes)) {
    bytes_ -= events_.front()->memory_bytes();
    gone_through_ = events_.front()->sequence();
    gone.push_back(std::move(events_.front()));
    events_.pop_front();
  }
  last_sequence_.store(sequence);
  return sequence;
}

uint64_t EventLog::Advance() {
  MutexLock lock(&mutex_);
  const uint64_t sequence = last_sequence_.load(std::memory_order_relaxed) + 1;
  last_sequence_.store(sequence);
  return sequence;
}

EventLog::Stretch EventLog::Read(uint64_t after, size_t limit,
                                 std::vector<EventRef>* events) const {
  if (after >= last_sequence()) return {after, after};
  MutexLock lock(&mutex_);
  const uint64_t complete_after = std::max(after, gone_through_);
  const auto begin = std::upper_bound(
      events_.begin(), events_.end(), complete_after,
      [](uint64_t sequence, const EventRef& event) { return sequence < event->sequence(); });
  if (static_cast<size_t>(events_.end() - begin) <= limit) {
    events->insert(events->end(), begin, events_.end());
    return {complete_after, last_sequence()};
  }
  const auto end = begin + static_cast<ptrdiff_t>(limit);
  events->insert(events->end(), begin, end);
  return {complete_after, (*std::prev(end))->sequence()};
}

uint64_t EventLog::events() const {
  MutexLock lock(&mutex_);
  return events_.size();
}

uint64_t EventLog::bytes() const {
  MutexLock lock(&mutex_);
  return bytes_;
}

}  // namespace ferrite
