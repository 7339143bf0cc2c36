#pragma once

// What happened of late, in one order: every message and key event that somebody follows. Streams
// are fed from here, and resumed from here after an interruption.
//
// Each event gets the next sequence. The newest is always there; older ones go when there are more
// than the limits allow.

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "server/events/event_limits.h"
#include "server/events/recorded_event.h"
#include "store/mutex.h"

namespace ferrite {

// Thread-safe.
class EventLog {
 public:
  explicit EventLog(const EventLogLimits& limits);

  // Gives the event its place at the end; returns its sequence.
  uint64_t Append(std::shared_ptr<RecordedEvent> event);

  // Appends to `*events` up to `limit` events, the first ones after that sequence. Returns the
  // sequence after which nothing is missing: `after`, or a greater one if older events have gone.
  uint64_t Read(uint64_t after, size_t limit, std::vector<EventRef>* events) const;

  // That of the newest event; 0: there was none.
  uint64_t last_sequence() const { return last_sequence_.load(); }
  ResumeToken TokenAt(uint64_t sequence) const { return {process_, sequence}; }

  uint64_t events() const;
  uint64_t bytes() const;
  const EventLogLimits& limits() const { return limits_; }

 private:
  const EventLogLimits limits_;
  const uint64_t process_;  // tells this log from those of other servers and of earlier starts
  std::atomic<uint64_t> last_sequence_{0};
  mutable Mutex mutex_;
  std::deque<EventRef> events_ ABSL_GUARDED_BY(mutex_);  // their sequences have no gaps
  uint64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace ferrite
