#pragma once

// A thread that loads the server at a rate of its own, whatever the server does (an open loop).
//
// The life of an arrival: it is offered when its moment has come; it starts a call on a lane that
// is free, or none if the thread is late or all lanes are busy; the call's deadline and latency
// count from the moment that was meant, so that a wait before the call is not left out.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "client/cli/bench/arrivals.h"
#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/lane.h"
#include "client/cli/bench/load_thread.h"
#include "client/cli/bench/tally.h"
#include "client/cli/bench/workload.h"
#include "ferrite/v1/cache.grpc.pb.h"
#include "grpcpp/channel.h"
#include "grpcpp/completion_queue.h"

namespace ferrite::cli {

// What became of the arrivals of one thread, beside what its Tally says of the calls. One thread
// counts; any may read at the same time.
struct OpenTally {
  Tally calls;                       // that ended, by status; latencies of those that were OK
  std::atomic<uint64_t> offered{0};  // arrivals
  std::atomic<uint64_t> unsent{0};   // that started no call: see above
  std::atomic<uint64_t> late{0};     // calls that were OK but beyond their deadline
};

class OpenLoadThread {
 public:
  using Clock = std::chrono::steady_clock;

  // Starts at once, with `per_second` calls on average until state->stopping. Arrivals count while
  // state->counting. `state` must outlive the thread.
  OpenLoadThread(const BenchOptions& options,
                 const std::vector<std::shared_ptr<grpc::Channel>>& channels, double per_second,
                 uint64_t seed, const RunState* state);
  // Joins.
  ~OpenLoadThread();
  OpenLoadThread(const OpenLoadThread&) = delete;
  OpenLoadThread& operator=(const OpenLoadThread&) = delete;

  // Waits for the end of the thread: state->stopping must be set. Calls in flight end by their
  // deadlines, or are cancelled a second after them.
  void Join();

  const OpenTally& tally() const { return tally_; }

 private:
  void Run();
  // Starts calls for the arrivals whose moment has come, a few at most.
  void StartDue();
  void Start(Clock::time_point intended);
  // Takes in what has ended, a few at most; waits for it until `until`.
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
  std::deque<Lane*> free_lanes_;  // used in turns, so that all connections are

  OpenTally tally_;
  std::thread thread_;
};

}  // namespace ferrite::cli
