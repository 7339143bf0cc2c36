#pragma once

// What is counted of every call, whatever it does.

#include <chrono>

#include "absl/status/status.h"
#include "server/call/method.h"
#include "server/metrics/refusals.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {

// Made when a call is taken up. Counts into the counters of the calling thread.
class CallMeter {
 public:
  using Clock = std::chrono::steady_clock;

  explicit CallMeter(Method method)
      : method_(method), counters_(ThreadCounters::Current().of(method)), begin_(Clock::now()) {
    ThreadCounters::Add(&counters_.started, 1);
  }

  // Counts the end of the call and, unless its frames are timed (EndFrame), its duration. Call it
  // once, when the outcome is known.
  void End(const absl::Status& status, uint64_t messages_received, uint64_t messages_sent,
           Clock::time_point end = Clock::now()) {
    if (!InFrames(method_)) counters_.Record((end - begin_) / std::chrono::nanoseconds(1));
    ThreadCounters::Add(&counters_.handled[static_cast<size_t>(status.code())], 1);
    if (!status.ok()) CountRefusal(status);
    ThreadCounters::Add(&counters_.received, messages_received);
    ThreadCounters::Add(&counters_.sent, messages_sent);
  }

  // Counts the duration of one frame: a stream lives for as long as its client likes, so that its
  // own duration says nothing.
  void EndFrame(int64_t ns) { counters_.Record(ns); }

  void CountBytes(uint64_t received, uint64_t sent) {
    ThreadCounters::Add(&counters_.bytes_received, received);
    ThreadCounters::Add(&counters_.bytes_sent, sent);
  }
  void CountWaitBegun() { ThreadCounters::Add(&counters_.waits_begun, 1); }
  void CountWaitEnded() { ThreadCounters::Add(&counters_.waits_ended, 1); }

  Clock::time_point begin() const { return begin_; }
  MethodCounters* counters() const { return &counters_; }

 private:
  const Method method_;
  MethodCounters& counters_;
  const Clock::time_point begin_;
};

}  // namespace ferrite
