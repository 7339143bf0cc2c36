#pragma once

// A thread that loads the server: its own completion queue, some connections, and on each a fixed
// number of calls or frames in flight. Whenever one ends, the next starts in its place.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/flight.h"
#include "client/cli/bench/loader.h"
#include "client/cli/bench/workload.h"
#include "ferrite/v1/cache.grpc.pb.h"
#include "grpcpp/channel.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"

namespace ferrite::cli {

class LoadThread final : public Loader {
 public:
  // Starts at once. Makes calls until state->stopping, or until `quota` calls were started while
  // counting. `state` must outlive the thread.
  LoadThread(const BenchOptions& options,
             const std::vector<std::shared_ptr<grpc::Channel>>& channels, uint64_t seed,
             std::optional<uint64_t> quota, const RunState* state);
  // Waits for the end of the thread: state->stopping must be set, or the quota used up. Calls in
  // flight get a second to end and are then cancelled.
  ~LoadThread() override;

 private:
  void Run();
  void AddFlights(const std::shared_ptr<grpc::Channel>& channel);
  // Starts the flight's next call or pause, or lets it stop.
  void Continue(Flight* flight);
  void OnEvent(Flight* flight, bool ok);
  void OnSilence();

  const BenchOptions options_;
  const RunState* const state_;
  Workload workload_;
  std::optional<uint64_t> quota_;  // what is left of it
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<v1::CacheService::Stub>> stubs_;
  std::vector<std::unique_ptr<grpc::GenericStub>> generic_stubs_;
  std::vector<std::unique_ptr<Flight>> flights_;
  size_t busy_flights_ = 0;
  std::optional<Clock::time_point> stop_seen_;
  std::thread thread_;
};

}  // namespace ferrite::cli
