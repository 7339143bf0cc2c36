#pragma once

// One call through ferrite::Client, as a Workload draws it.

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/workload.h"
#include "client/client.h"

namespace ferrite::cli {

// A client as `options` say, with so many connections.
std::unique_ptr<Client> ClientWith(const BenchOptions& options, int connections);

inline bool FoundKey(const v1::GetResponse& response) { return response.found(); }
template <class Response>
bool FoundKey(const Response&) {
  return false;
}

// Starts the next call of `workload` and hands its end to `on_end(is_read, outcome)`, where the
// outcome is an absl::StatusOr of the response.
template <class OnEnd>
void StartClientCall(Client* client, const CallOptions& options, Workload* workload, OnEnd on_end) {
  switch (workload->NextKind()) {
    case Workload::Kind::kSet: {
      v1::SetRequest request;
      workload->NextKey(request.mutable_key());
      request.set_value(workload->value());
      return client->SetAsync(
          std::move(request), options,
          [on_end](const absl::StatusOr<v1::SetResponse>& outcome) { on_end(false, outcome); });
    }
    case Workload::Kind::kIncr: {
      v1::IncrRequest request;
      workload->NextCounterKey(request.mutable_key());
      return client->IncrAsync(
          std::move(request), options,
          [on_end](const absl::StatusOr<v1::IncrResponse>& outcome) { on_end(false, outcome); });
    }
    default: {
      v1::GetRequest request;
      workload->NextKey(request.mutable_key());
      return client->GetAsync(
          std::move(request), options,
          [on_end](const absl::StatusOr<v1::GetResponse>& outcome) { on_end(true, outcome); });
    }
  }
}

}  // namespace ferrite::cli
