#include "client/cli/bench/client_load.h"

#include <thread>
#include <utility>

namespace ferrite::cli {

ClientLoad::ClientLoad(const BenchOptions& options, int connections, uint64_t seed,
                       std::optional<uint64_t> quota, const RunState* state)
    : state_(*state),
      workload_(options, seed),
      quota_(quota),
      busy_callers_(connections * options.in_flight) {
  ClientOptions client_options;
  client_options.seeds = {options.server};
  client_options.default_timeout = options.call_timeout;
  client_options.channels_per_node = connections;
  client_ = *Client::Create(client_options);  // the flags have been checked
  // Calls start on the completion thread, where a callback gets to.
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
Callback<Response> ClientLoad::Counter(bool counted, Tally* tally) {
  return [this, counted, tally, start = Clock::now()](absl::StatusOr<Response> reply) {
    if (counted && state_.counting) {
      const Clock::time_point now = Clock::now();
      if (reply.ok()) {
        tally->latency.Record(absl::FromChrono(now - start));
        Tally::Add(tally->keys, 1);
        CountHit(*reply);
      } else {
        Tally::Add(tally->errors[ErrorIndex(reply.status().raw_code())], 1);
      }
      NoteEnd(now);
    }
    if (!absl::IsUnavailable(reply.status()) || state_.stopping) return Continue();
    // The client asks with pauses in between whether the server is back.
    client_->IsServingAsync("", {}, [this](const absl::StatusOr<bool>&) { Continue(); });
  };
}

void ClientLoad::Continue() {
  const bool counted = state_.counting;
  if (state_.stopping || (counted && quota_ == 0)) {
    if (--busy_callers_ == 0) Finish();
    return;
  }
  if (counted && quota_.has_value()) --*quota_;
  switch (workload_.NextKind()) {
    case Workload::Kind::kSet: {
      v1::SetRequest request;
      workload_.NextKey(request.mutable_key());
      request.set_value(workload_.value());
      return client_->SetAsync(std::move(request), {},
                               Counter<v1::SetResponse>(counted, &tallies_.writes));
    }
    case Workload::Kind::kIncr: {
      v1::IncrRequest request;
      workload_.NextCounterKey(request.mutable_key());
      return client_->IncrAsync(std::move(request), {},
                                Counter<v1::IncrResponse>(counted, &tallies_.writes));
    }
    default: {
      v1::GetRequest request;
      workload_.NextKey(request.mutable_key());
      return client_->GetAsync(std::move(request), {},
                               Counter<v1::GetResponse>(counted, &tallies_.reads));
    }
  }
}

}  // namespace ferrite::cli
