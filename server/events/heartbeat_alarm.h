#pragma once

// An alarm on a completion queue that can be set again and again.

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <chrono>
#include <functional>
#include <utility>

#include "server/engine/tag.h"

namespace ferrite {

// Used only on the thread of the queue. Once set, it must live until it has rung.
class HeartbeatAlarm final : public Tag {
 public:
  using Clock = std::chrono::steady_clock;

  // `ring` may set the alarm again.
  explicit HeartbeatAlarm(std::function<void()> ring) : ring_(std::move(ring)) {}

  // Rings at that time, or earlier if it was set to an earlier one.
  void Set(grpc::CompletionQueue* queue, Clock::time_point at) {
    if (set_) {
      if (at < at_) alarm_.Cancel();  // rings now, and is set anew then
      return;
    }
    set_ = true;
    at_ = at;
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(at - Clock::now());
    alarm_.Set(queue,
               gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                            gpr_time_from_micros(left.count(), GPR_TIMESPAN)),
               static_cast<Tag*>(this));
  }
  // Rings soon, if it was set.
  void Cancel() {
    if (set_) alarm_.Cancel();
  }

  void Proceed(bool) override {
    set_ = false;
    ring_();
  }

 private:
  const std::function<void()> ring_;
  grpc::Alarm alarm_;
  bool set_ = false;
  Clock::time_point at_;
};

}  // namespace ferrite
