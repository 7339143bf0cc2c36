#pragma once

// An open loop of calls through ferrite::Client, which makes frames of them. However many are in
// flight, the next one starts: it is the client that has to cope.

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

// One thread starts the calls; the completion thread of its client takes in what becomes of them.
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
  // Counts the end of a call; returns whether it was good, and counts.
  bool OnEnd(Clock::time_point intended, bool counted, const absl::Status& status);
  void CountRead(const CallKeys& read);
  // Whether the caller is the starting thread: the call was over within its start.
  bool IsAtOnce() const { return std::this_thread::get_id() == starting_thread_; }
  OpenTally& OwnTally() { return IsAtOnce() ? at_once_ : later_; }

  const RunState& state_;
  const Clock::duration timeout_;
  Workload workload_;
  Arrivals arrivals_;
  std::thread::id starting_thread_;
  uint64_t started_ = 0;
  std::atomic<uint64_t> ended_at_once_{0};  // calls that were over when they had been started
  std::atomic<uint64_t> ended_later_{0};

  OpenTally at_once_;  // what the starting thread counts
  OpenTally later_;    // what the completion thread counts
  std::unique_ptr<Client> client_;
  std::thread thread_;
};

}  // namespace ferrite::cli
