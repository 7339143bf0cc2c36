#pragma once

// What is counted and checked of every call, whatever it does.

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <chrono>

#include "server/engine/method.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {

// Made when a call is taken up. Counts into the counters of the calling thread.
class CallMeter {
 public:
  explicit CallMeter(Method method)
      : method_(method),
        counters_(ThreadCounters::Current().of(method)),
        begin_(std::chrono::steady_clock::now()) {
    ThreadCounters::Add(&counters_.started, 1);
  }

  // Whether to execute the call: not when its deadline has passed by now, as nobody waits for the
  // answer.
  grpc::Status Admit(const grpc::ServerContext& context) const;

  // Counts the end of the call and, unless its frames are timed (FrameMeter), its duration. Call it
  // once, when the outcome is known.
  void End(const grpc::Status& status, uint64_t messages_received, uint64_t messages_sent);

 private:
  const Method method_;
  MethodCounters& counters_;
  const std::chrono::steady_clock::time_point begin_;
};

// Times one frame of a stream, from its being made to its end: a stream lives for as long as its
// client likes, so that its own duration says nothing.
class FrameMeter {
 public:
  explicit FrameMeter(Method method) : counters_(ThreadCounters::Current().of(method)) {}
  ~FrameMeter();
  FrameMeter(const FrameMeter&) = delete;
  FrameMeter& operator=(const FrameMeter&) = delete;

 private:
  MethodCounters& counters_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace ferrite
