#pragma once

// Loads the server as a program would that uses ferrite::Client: a number of callers, each of which
// makes its next call when the last has ended. The client makes frames of them.

#include <memory>
#include <optional>

#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/loader.h"
#include "client/cli/bench/workload.h"
#include "client/client.h"

namespace ferrite::cli {

// Has a client with one completion thread, which is the thread that makes the calls.
class ClientLoad final : public Loader {
 public:
  // Starts at once. `connections` is this loader's share, each with options.in_flight callers.
  // `state` must outlive it. For `quota` see LoadThread.
  ClientLoad(const BenchOptions& options, int connections, uint64_t seed,
             std::optional<uint64_t> quota, const RunState* state);
  // As ~LoadThread.
  ~ClientLoad() override;

 private:
  // Lets a caller make its next call, or rest for good.
  void Continue();
  template <class Response>
  void OnEnd(bool counted, Clock::time_point start, Tally* tally,
             const absl::StatusOr<Response>& reply);

  const RunState& state_;
  Workload workload_;
  std::optional<uint64_t> quota_;  // what is left of it
  int busy_callers_;
  std::unique_ptr<Client> client_;  // last: its end is the end of all calls
};

}  // namespace ferrite::cli
