#pragma once

#include <cstdint>

namespace ferrite {

// Where the time of a call went. cache.proto ("Timing") says what counts.
struct CallTimes {
  int64_t queue_ns = 0;    // waiting for its thread; an upper bound, see QueueWait
  int64_t execute_ns = 0;  // in its handler

  int64_t sum_ns() const { return queue_ns + execute_ns; }

  CallTimes& operator+=(const CallTimes& other) {
    queue_ns += other.queue_ns;
    execute_ns += other.execute_ns;
    return *this;
  }
};

}  // namespace ferrite
