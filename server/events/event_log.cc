#include "server/events/event_log.h"

#include <algorithm>
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
    gone.push_back(std::move(events_.front()));
    events_.pop_front();
  }
  last_sequence_.store(sequence);
  return sequence;
}

uint64_t EventLog::Read(uint64_t after, size_t limit, std::vector<EventRef>* events) const {
  if (after >= last_sequence()) return after;
  MutexLock lock(&mutex_);
  const uint64_t before_first = events_.front()->sequence() - 1;
  const uint64_t complete_after = std::max(after, before_first);
  const auto begin = events_.begin() + static_cast<ptrdiff_t>(complete_after - before_first);
  const auto count = std::min<size_t>(limit, static_cast<size_t>(events_.end() - begin));
  events->insert(events->end(), begin, begin + static_cast<ptrdiff_t>(count));
  return complete_after;
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
