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

  // Counts the end of the call and, unless its frames are timed (EndFrame), its duration. Returns
  // when it was. Call it once, when the outcome is known.
  std::chrono::steady_clock::time_point End(const grpc::Status& status, uint64_t messages_received,
                                            uint64_t messages_sent);

  // Counts the duration of one frame: a stream lives for as long as its client likes, so that its
  // own duration says nothing.
  void EndFrame(int64_t ns) { counters_.Record(ns); }

  // Counts messages by their size. Also after the end: the size of a message is known for nothing
  // once gRPC has serialized it.
  void CountBytes(uint64_t received, uint64_t sent) {
    ThreadCounters::Add(&counters_.bytes_received, received);
    ThreadCounters::Add(&counters_.bytes_sent, sent);
  }

  std::chrono::steady_clock::time_point begin() const { return begin_; }
  MethodCounters* counters() const { return &counters_; }

 private:
  const Method method_;
  MethodCounters& counters_;
  const std::chrono::steady_clock::time_point begin_;
};

}  // namespace ferrite
