#pragma once

// One call through ferrite::Client, drawn by a Workload.

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/workload.h"
#include "client/client.h"

namespace ferrite::cli {

// A client with these options and this many connections.
std::unique_ptr<Client> ClientWith(const BenchOptions& options, int connections);

// How many keys a call read or wrote, and how many of the keys that it read existed.
struct CallKeys {
  uint64_t keys = 1;
  uint64_t hits = 0;
};
inline CallKeys KeysOf(const v1::GetResponse& response) {
  return {.keys = 1, .hits = response.found() ? 1u : 0u};
}
CallKeys KeysOf(const v1::MGetResponse& response);
CallKeys KeysOf(const v1::MSetResponse& response);
template <class Response>
CallKeys KeysOf(const Response&) {
  return {};
}

// Starts the next call of `workload`, which ends with `on_end(is_read, outcome)`; the outcome is an
// absl::StatusOr of the response.
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
    case Workload::Kind::kMGet: {
      v1::MGetRequest request;
      for (int i = 0; i < workload->batch(); ++i) workload->NextKey(request.add_keys());
      return client->MGetAsync(
          std::move(request), options,
          [on_end](const absl::StatusOr<v1::MGetResponse>& outcome) { on_end(true, outcome); });
    }
    case Workload::Kind::kMSet: {
      v1::MSetRequest request;
      for (int i = 0; i < workload->batch(); ++i) {
        v1::SetRequest* const entry = request.add_entries();
        workload->NextKey(entry->mutable_key());
        entry->set_value(workload->value());
      }
      return client->MSetAsync(
          std::move(request), options,
          [on_end](const absl::StatusOr<v1::MSetResponse>& outcome) { on_end(false, outcome); });
    }
    case Workload::Kind::kGet: {
      v1::GetRequest request;
      workload->NextKey(request.mutable_key());
      return client->GetAsync(
          std::move(request), options,
          [on_end](const absl::StatusOr<v1::GetResponse>& outcome) { on_end(true, outcome); });
    }
  }
}

}  // namespace ferrite::cli
