#include "client/cli/bench/client_load.h"

#include <thread>

#include "client/cli/bench/client_call.h"

namespace ferrite::cli {

ClientLoad::ClientLoad(const BenchOptions& options, int connections, uint64_t seed,
                       std::optional<uint64_t> quota, const RunState* state)
    : state_(*state),
      workload_(options, seed),
      quota_(quota),
      busy_callers_(connections * options.in_flight) {
  client_ = ClientWith(options, connections);
  // Calls start on the completion thread, on which callbacks run.
  client_->IsServingAsync("", {}, [this, callers = busy_callers_](const absl::StatusOr<bool>&) {
    for (int i = 0; i < callers; ++i) Continue();
  });
}

ClientLoad::~ClientLoad() {
  const Clock::time_point end = Clock::now() + kEndGrace;
  while (!finished() && Clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  client_.reset();
}

template <class Response>
void ClientLoad::OnEnd(bool counted, Clock::time_point start, Tally* tally,
                       const absl::StatusOr<Response>& reply) {
  if (counted && state_.counting) {
    const Clock::time_point now = Clock::now();
    if (reply.ok()) {
      tally->latency.Record(absl::FromChrono(now - start));
      const CallKeys touched = KeysOf(*reply);
      Tally::Add(tally->keys, touched.keys);
      Tally::Add(tally->hits, touched.hits);
    } else {
      Tally::Add(tally->errors[ErrorIndex(reply.status().raw_code())], 1);
    }
    NoteEnd(now);
  }
  if (!absl::IsUnavailable(reply.status()) || state_.stopping) return Continue();
  // The server is away: the health check's retries pause until it is back.
  client_->IsServingAsync("", {}, [this](const absl::StatusOr<bool>&) { Continue(); });
}

void ClientLoad::Continue() {
  const bool counted = state_.counting;
  if (state_.stopping || (counted && quota_ == 0)) {
    if (--busy_callers_ == 0) Finish();
    return;
  }
  if (counted && quota_.has_value()) --*quota_;
  StartClientCall(client_.get(), {}, &workload_,
                  [this, counted, start = Clock::now()](bool is_read, const auto& reply) {
                    OnEnd(counted, start, is_read ? &tallies_.reads : &tallies_.writes, reply);
                  });
}

}  // namespace ferrite::cli
