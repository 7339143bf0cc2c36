#pragma once

// The events that wait for one stream. Within limits; the first one that finds the queue empty
// always fits.

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "server/events/event_limits.h"
#include "server/events/recorded_event.h"

namespace ferrite {

struct QueuedEvent {
  EventRef event;
  uint64_t coalesced = 0;  // earlier events that it stands for
};

// Not thread-safe.
class EventQueue {
 public:
  // With `coalesce`, only the newest event of each topic stays.
  EventQueue(const QueueLimits& limits, bool coalesce) : limits_(limits), coalesce_(coalesce) {}

  // False, and nothing happens, if there is no room.
  bool Push(EventRef event);
  // The oldest; absent if there is none.
  std::optional<QueuedEvent> Pop();
  void Clear();

  bool empty() const { return count_ == 0; }
  uint64_t bytes() const { return bytes_; }
  // How many were replaced by newer ones.
  uint64_t coalesced() const { return coalesced_; }

 private:
  // The numbers of events by topic, which lies in the event.
  using Numbers = absl::flat_hash_map<std::pair<TopicKind, absl::string_view>, uint64_t>;

  // Takes out an event for a newer one of its topic; returns how many that stands for.
  uint64_t Replace(Numbers::iterator newest);
  // Closes the empty places.
  void Compact();

  // A replaced event leaves its place empty.
  std::deque<QueuedEvent> events_;
  uint64_t first_ = 0;  // the number of events_[0], counted from the first one ever
  uint64_t count_ = 0;  // those that are there
  uint64_t bytes_ = 0;
  uint64_t coalesced_ = 0;
  const QueueLimits limits_;
  const bool coalesce_;
  Numbers newest_;  // with `coalesce_`
};

}  // namespace ferrite
