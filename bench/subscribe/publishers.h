#pragma once

// The publishers: each sends its next burst when its last one is answered, or all send messages on
// a schedule.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "bench/subscribe/audience.h"
#include "bench/subscribe/connection.h"
#include "bench/subscribe/load_options.h"
#include "bench/subscribe/stamp.h"
#include "client/cli/bench/latency.h"

namespace ferrite::bench {

// Not thread-safe.
class Publishers final : private Waiter {
 public:
  // Connects. All must outlive it.
  Publishers(const LoadOptions& options, const Audience* audience, Poll* poll);
  ~Publishers();

  // The measurement begins.
  void Start();
  // Sends what can be sent now; call it before each wait. False if everything is answered and
  // nothing more is to be sent.
  bool Continue();

  uint64_t published() const { return published_; }
  // The time from when a message was due to its answer.
  const cli::LatencyRecorder& latency() const { return latency_; }

 private:
  // A connection.
  class Publisher final : public Receiver {
   public:
    Publisher(Publishers* owner, Poll* poll);
    void OnMessage(size_t, std::string_view) override {}
    void OnPublished(uint64_t count) override;
    // Sends `count` messages, which were due at `due`.
    void Send(int count, Clock::time_point due);
    size_t in_flight() const { return due_.size(); }

   private:
    Publishers& owner_;
    std::vector<std::string> payloads_;
    std::deque<Clock::time_point> due_;  // of unanswered messages
    Connection connection_;
  };

  void OnReady(uint32_t events) override;  // the timer
  void SetTimer(Clock::time_point due);
  // Return whether there is more to send.
  bool SendAnswered();
  bool SendDue();
  bool SubscribersAreClose() const;

  const LoadOptions& options_;
  const Audience& audience_;
  Poll& poll_;
  const int timer_;
  Clock::time_point start_;
  uint64_t published_ = 0;  // sent
  cli::LatencyRecorder latency_;
  std::vector<std::unique_ptr<Publisher>> publishers_;
};

}  // namespace ferrite::bench
