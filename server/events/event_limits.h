#pragma once

// How much may be kept of events, and for whom.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ferrite {

// Of the log.
struct EventLogLimits {
  uint64_t events = 65'536;
  uint64_t bytes = uint64_t{64} << 20;
};

// Of what waits for one stream.
struct QueueLimits {
  uint64_t events = 4096;
  uint64_t bytes = uint64_t{1} << 20;
};

struct EventLimits {
  EventLogLimits history;
  QueueLimits queue;                                // the most that a stream may ask for
  uint64_t subscriber_bytes = uint64_t{128} << 20;  // of all queues together
  size_t subscribers = 100'000;                     // streams at a time
  std::chrono::milliseconds linger{60'000};  // how long a topic is recorded after its last stream
};

}  // namespace ferrite
