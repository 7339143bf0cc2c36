#pragma once

// Loads the server as a program with ferrite::Client would: by a number of callers, each of which
// makes its next call when its last one has ended. The client batches them into frames.

#include <memory>
#include <optional>

#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/loader.h"
#include "client/cli/bench/workload.h"
#include "client/client.h"

namespace ferrite::cli {

// Has a client with one completion thread, which makes the calls.
class ClientLoad final : public Loader {
 public:
  // Starts at once. `connections` is this loader's share, each with options.in_flight callers.
  // `state` must outlive it. For `quota` see LoadThread.
  ClientLoad(const BenchOptions& options, int connections, uint64_t seed,
             std::optional<uint64_t> quota, const RunState* state);
  // See ~LoadThread.
  ~ClientLoad() override;

 private:
  // Lets a caller make its next call, or stop.
  void Continue();
  template <class Response>
  void OnEnd(bool counted, Clock::time_point start, Tally* tally,
             const absl::StatusOr<Response>& reply);

  const RunState& state_;
  Workload workload_;
  std::optional<uint64_t> quota_;  // what is left of it
  int busy_callers_;
  std::unique_ptr<Client> client_;  // last member: its destructor ends all calls
};

}  // namespace ferrite::cli
