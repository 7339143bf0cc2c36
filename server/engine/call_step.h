#pragma once

// One step of a call on its thread, from the event that led to it to the operation that it starts:
// how long it waited, how long its handler took, how many keys were touched.

#include <chrono>
#include <cstdint>

#include "server/call/call_times.h"
#include "server/engine/queue_wait.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {

class CallStep {
 public:
  using Clock = std::chrono::steady_clock;

  // Made when the event has been taken, at `begin`.
  CallStep(QueueWait* wait, MethodCounters* counters, Clock::time_point begin = Clock::now())
      : wait_(*wait),
        counters_(*counters),
        begin_(begin),
        queue_ns_(wait->bound_ns()),
        keys_(ThreadCounters::Current().keys()) {}

  // The most that the event can have waited for the thread.
  int64_t queue_ns() const { return queue_ns_; }

  // Keys that the handler has met so far.
  uint64_t keys() const {
    const KeyTally& keys = ThreadCounters::Current().keys();
    return keys.read - keys_.read + keys.written - keys_.written;
  }

  // The handler ended at `end`. Counts its keys. Call it once.
  CallTimes Executed(Clock::time_point end = Clock::now()) const {
    const KeyTally& keys = ThreadCounters::Current().keys();
    ThreadCounters::Add(&counters_.keys_read, keys.read - keys_.read);
    ThreadCounters::Add(&counters_.keys_written, keys.written - keys_.written);
    return {.queue_ns = queue_ns_, .execute_ns = (end - begin_) / std::chrono::nanoseconds(1)};
  }

  // The next operation of the call has just been started. Returns its mark (QueueWait::mark).
  int64_t Started() const {
    wait_.Worked((Clock::now() - begin_) / std::chrono::nanoseconds(1));
    return wait_.mark();
  }

 private:
  QueueWait& wait_;
  MethodCounters& counters_;
  const Clock::time_point begin_;
  const int64_t queue_ns_;
  const KeyTally keys_;
};

}  // namespace ferrite
