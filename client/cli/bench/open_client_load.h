#pragma once

// An open loop of calls through ferrite::Client, which batches them into frames. The next call
// starts however many are in flight: the client has to cope.

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/bench/arrivals.h"
#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/client_call.h"
#include "client/cli/bench/loader.h"
#include "client/cli/bench/open_loader.h"
#include "client/cli/bench/workload.h"
#include "client/client.h"

namespace ferrite::cli {

// One thread starts the calls; the client's completion thread handles their outcomes.
class OpenClientLoad final : public OpenLoader {
 public:
  // Starts at once, with `per_second` calls on average until state->stopping, over so many
  // connections. Arrivals count while state->counting. `state` must outlive this.
  OpenClientLoad(const BenchOptions& options, int connections, double per_second, uint64_t seed,
                 const RunState* state);
  // Joins.
  ~OpenClientLoad() override;

  void Join() override;
  std::vector<const OpenTally*> tallies() const override { return {&at_once_, &later_}; }

 private:
  void Run();
  void Start(Clock::time_point intended, Clock::time_point now);
  // Counts the end of a call; returns whether it was good and is counted.
  bool OnEnd(Clock::time_point intended, bool counted, const absl::Status& status);
  void CountRead(const CallKeys& read);
  // Whether the caller is the starting thread: the call ended within its start.
  bool IsAtOnce() const { return std::this_thread::get_id() == starting_thread_; }
  OpenTally& OwnTally() { return IsAtOnce() ? at_once_ : later_; }

  const RunState& state_;
  const Clock::duration timeout_;
  Workload workload_;
  Arrivals arrivals_;
  std::thread::id starting_thread_;
  uint64_t started_ = 0;
  std::atomic<uint64_t> ended_at_once_{0};  // calls that ended within their start
  std::atomic<uint64_t> ended_later_{0};

  OpenTally at_once_;  // what the starting thread counts
  OpenTally later_;    // what the completion thread counts
  std::unique_ptr<Client> client_;
  std::thread thread_;
};

}  // namespace ferrite::cli
