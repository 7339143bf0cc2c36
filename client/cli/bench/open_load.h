#pragma once

// An open loop of RPCs, each on a free lane; an arrival that finds none starts no call.

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "client/cli/bench/arrivals.h"
#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/lane.h"
#include "client/cli/bench/loader.h"
#include "client/cli/bench/open_loader.h"
#include "client/cli/bench/workload.h"
#include "ferrite/v1/cache.grpc.pb.h"
#include "grpcpp/channel.h"
#include "grpcpp/completion_queue.h"

namespace ferrite::cli {

class OpenLoadThread final : public OpenLoader {
 public:
  // Starts at once, with `per_second` calls on average until state->stopping. Arrivals count while
  // state->counting. `state` must outlive the thread.
  OpenLoadThread(const BenchOptions& options,
                 const std::vector<std::shared_ptr<grpc::Channel>>& channels, double per_second,
                 uint64_t seed, const RunState* state);
  // Joins.
  ~OpenLoadThread() override;

  void Join() override;
  std::vector<const OpenTally*> tallies() const override { return {&tally_}; }

 private:
  void Run();
  // Starts calls for the arrivals that are due, a few at most.
  void StartDue();
  void Start(Clock::time_point intended);
  // Handles calls that have ended, a few at most; waits for them until `until`.
  void TakeEnded(Clock::time_point until);
  void OnEnd(Lane* lane);
  // Waits for the calls in flight.
  void Drain();

  const BenchOptions options_;
  const RunState* const state_;
  const Clock::duration timeout_;
  const Clock::duration max_lateness_;
  Workload workload_;
  Arrivals arrivals_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<v1::CacheService::Stub>> stubs_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::deque<Lane*> free_lanes_;  // used in turn, so that all connections are used

  OpenTally tally_;
  std::thread thread_;
};

}  // namespace ferrite::cli
