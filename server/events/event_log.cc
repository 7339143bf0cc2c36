#include "server/events/event_log.h"

#include <algorithm>
#include <random>
#include <utility>

namespace ferrite {
namespace {

// How many events a reader takes while writers wait.
constexpr size_t kMostUnderLock = 64;

uint64_t NewProcessId() {
  std::random_device random;
  return uint64_t{random()} << 32 | random();
}

}  // namespace

EventLog::EventLog(const EventLogLimits& limits) : limits_(limits), process_(NewProcessId()) {}

uint64_t EventLog::Append(std::shared_ptr<RecordedEvent> event) {
  Gone gone;  // freed after the lock
  const uint64_t bytes = event->memory_bytes();
  MutexLock lock(&mutex_);
  return Place(std::move(event), bytes, &gone);
}

void EventLog::Reserve(std::shared_ptr<RecordedEvent> event, uint64_t bytes, Gone* gone) {
  MutexLock lock(&mutex_);
  Place(std::move(event), bytes, gone);
  open_.fetch_add(1);
}

uint64_t EventLog::Place(std::shared_ptr<RecordedEvent> event, uint64_t bytes, Gone* gone) {
  const uint64_t sequence = last_sequence_.load(std::memory_order_relaxed) + 1;
  event->SetPlace({process_, sequence});
  events_.push_back({std::move(event), bytes});
  bytes_ += bytes;
  while (events_.size() > 1 && (events_.size() > limits_.events || bytes_ > limits_.bytes)) {
    Kept& first = events_.front();
    bytes_ -= first.bytes;
    gone_through_ = first.event->sequence();
    gone->push_back(std::move(first.event));
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

EventLog::Iterator EventLog::FirstAfter(uint64_t sequence) const {
  return std::upper_bound(
      events_.begin(), events_.end(), sequence,
      [](uint64_t wanted, const Kept& kept) { return wanted < kept.event->sequence(); });
}

EventLog::Stretch EventLog::Read(uint64_t after, size_t limit,
                                 std::vector<EventRef>* events) const {
  if (after >= last_sequence()) return {after, after};
  Stretch stretch = {after, after};
  bool more = true;
  for (bool is_first = true; more; is_first = false) {
    // Not all under one lock, as writers wait for it.
    MutexLock lock(&mutex_);
    if (is_first) {
      stretch.through = stretch.complete_after = std::max(after, gone_through_);
    } else if (gone_through_ > stretch.through) {
      break;  // the next call tells of this
    }
    auto kept = FirstAfter(stretch.through);
    for (size_t left = std::min(limit, kMostUnderLock);
         left > 0 && kept != events_.end() && kept->event->is_complete(); --left, --limit, ++kept) {
      events->push_back(kept->event);
      stretch.through = kept->event->sequence();
    }
    more = limit > 0 && kept != events_.end() && kept->event->is_complete();
    // Places without an event come along.
    if (kept == events_.end()) {
      stretch.through = last_sequence();
    } else if (limit > 0 && !more) {
      stretch.through = kept->event->sequence() - 1;
    }
  }
  return stretch;
}

uint64_t EventLog::last_complete_sequence() const {
  MutexLock lock(&mutex_);
  uint64_t through = last_sequence();
  size_t open = open_.load();
  for (auto kept = events_.rbegin(); open > 0 && kept != events_.rend(); ++kept) {
    if (kept->event->is_complete()) continue;
    through = kept->event->sequence() - 1;
    --open;
  }
  return through;
}

void EventLog::Complete(RecordedEvent* event, const StoreEvent& fields, bool with_value) {
  event->Complete(fields, with_value);
  open_.fetch_sub(1);
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
