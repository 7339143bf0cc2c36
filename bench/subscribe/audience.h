#pragma once

// The subscribers: they count what they receive, and report afterwards what they missed.

#include <cstdint>
#include <memory>
#include <vector>

#include "bench/subscribe/connection.h"
#include "bench/subscribe/load_options.h"
#include "bench/subscribe/stamp.h"
#include "client/cli/bench/latency.h"

namespace ferrite::bench {

// Not thread-safe.
class Audience {
 public:
  // Connects and subscribes. The pointer must outlive it.
  Audience(const LoadOptions& options, Poll* poll);

  // Whether all subscriptions are active.
  bool complete() const { return subscribed_ == streams_; }

  uint64_t received() const { return received_; }
  uint64_t gaps() const { return gaps_; }
  // The time from publish to receipt.
  const cli::LatencyRecorder& latency() const { return latency_; }

  // How many of the messages numbered below `published` did not arrive or arrived twice.
  uint64_t Missing(uint64_t published) const;

 private:
  struct Tally {
    uint64_t messages = 0;
    uint64_t numbers = 0;  // the sum of their numbers
  };

  // A connection with its streams.
  class Seat final : public Receiver {
   public:
    Seat(Audience* audience, const LoadOptions& options, int streams, Poll* poll);
    void OnArrival() override { arrival_ = Clock::now(); }
    void OnSubscribed() override { ++audience_.subscribed_; }
    void OnMessage(size_t stream, std::string_view payload) override;
    void OnGap() override { ++audience_.gaps_; }
    void OnPublished(uint64_t) override {}

    const std::vector<Tally>& tallies() const { return tallies_; }

   private:
    Audience& audience_;
    std::vector<Tally> tallies_;  // by stream
    Clock::time_point arrival_;
    Connection connection_;
  };

  const int streams_;
  int subscribed_ = 0;
  uint64_t received_ = 0;
  uint64_t gaps_ = 0;
  cli::LatencyRecorder latency_;
  std::vector<std::unique_ptr<Seat>> seats_;
};

}  // namespace ferrite::bench
