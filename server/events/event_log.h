#pragma once

// What happened of late, in one order: every message and key event that somebody follows. Streams
// are fed from here, and resumed from here after an interruption.
//
// Each event gets the next sequence that is free. The newest is always there; older ones go when
// there are more than the limits allow.
//
// An event may be given its place before it is complete, under a lock that orders it, and be
// completed without that lock. Until then readers wait before it.

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "base/mutex.h"
#include "server/events/event_limits.h"
#include "server/events/recorded_event.h"

namespace ferrite {

// Thread-safe.
class EventLog {
 public:
  explicit EventLog(const EventLogLimits& limits);

  // Gives a complete event its place at the end; returns its sequence.
  uint64_t Append(std::shared_ptr<RecordedEvent> event);

  // Events that have gone, to be freed where nobody waits.
  using Gone = absl::InlinedVector<EventRef, 4>;
  // Gives an event that is to be completed its place at the end; it will take about so many bytes.
  void Reserve(std::shared_ptr<RecordedEvent> event, uint64_t bytes, Gone* gone);
  // Completes it.
  void Complete(RecordedEvent* event, const StoreEvent& fields, bool with_value);

  // Takes a sequence for no event, so that places before it can be told from those after it;
  // returns it.
  uint64_t Advance();

  struct Stretch {
    uint64_t complete_after;  // after this sequence nothing is missing
    uint64_t through;         // up to this one
  };
  // Appends to `*events` up to `limit` events, the first ones after that sequence, up to the first
  // that is not complete. Nothing is missing after that sequence, or after a greater one if older
  // events have gone.
  Stretch Read(uint64_t after, size_t limit, std::vector<EventRef>* events) const;

  // The last one that was taken; 0: none.
  uint64_t last_sequence() const { return last_sequence_.load(); }
  // Up to here Read() would come.
  uint64_t last_complete_sequence() const;
  ResumeToken TokenAt(uint64_t sequence) const { return {process_, sequence}; }

  uint64_t events() const;
  uint64_t bytes() const;
  const EventLogLimits& limits() const { return limits_; }

 private:
  struct Kept {
    EventRef event;
    uint64_t bytes;
  };
  uint64_t Place(std::shared_ptr<RecordedEvent> event, uint64_t bytes, Gone* gone)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  using Iterator = std::deque<Kept>::const_iterator;
  Iterator FirstAfter(uint64_t sequence) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const EventLogLimits limits_;
  const uint64_t process_;  // tells this log from those of other servers and of earlier starts
  std::atomic<uint64_t> last_sequence_{0};
  std::atomic<size_t> open_{0};  // events that are not complete
  mutable Mutex mutex_;
  std::deque<Kept> events_ ABSL_GUARDED_BY(mutex_);    // by sequence
  uint64_t gone_through_ ABSL_GUARDED_BY(mutex_) = 0;  // that of the last event that has gone
  uint64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace ferrite
