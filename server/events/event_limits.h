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

// What topics may take that nobody follows any more, but of which events are still recorded.
constexpr uint64_t LingeringBytes(uint64_t subscriber_bytes) { return subscriber_bytes / 8; }

struct EventLimits {
  EventLogLimits history;
  QueueLimits queue;                                // the most that a stream may ask for
  uint64_t subscriber_bytes = uint64_t{128} << 20;  // of all queues and topics together
  uint64_t connection_percent = 50;                 // of that, of one connection that is alone
  size_t subscribers = 100'000;                     // streams at a time
  std::chrono::milliseconds linger{60'000};  // how long a topic is recorded after its last stream
};

}  // namespace ferrite
