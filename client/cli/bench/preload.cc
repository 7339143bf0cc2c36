#include "client/cli/bench/preload.h"

#include <algorithm>
#include <future>
#include <queue>
#include <utility>

#include "client/cli/bench/workload.h"
#include "client/error.h"

namespace ferrite::cli {
namespace {

constexpr size_t kBatchesInFlight = 8;
constexpr uint64_t kMostKeysPerBatch = 512;
constexpr uint64_t kBytesPerBatch = 1 << 20;

v1::MSetRequest Batch(const BenchOptions& options, const std::string& value, uint64_t first,
                      uint64_t count) {
  v1::MSetRequest request;
  for (uint64_t i = first; i < first + count; ++i) {
    v1::SetRequest* entry = request.add_entries();
    WriteKey(kEntryKey, i, options.key_size, entry->mutable_key());
    entry->set_value(value);
  }
  return request;
}

// The outcome of the batch: its own failure, or that of the first entry that failed.
absl::Status Outcome(const absl::StatusOr<v1::MSetResponse>& reply) {
  if (!reply.ok()) return reply.status();
  for (const v1::MSetResult& result : reply->results()) {
    if (result.has_error()) return ToAbslStatus(result.error());
  }
  return absl::OkStatus();
}

std::future<absl::Status> Start(Client& client, v1::MSetRequest request) {
  auto promise = std::make_shared<std::promise<absl::Status>>();
  client.MSetAsync(std::move(request), {},
                   [promise](const absl::StatusOr<v1::MSetResponse>& reply) {
                     promise->set_value(Outcome(reply));
                   });
  return promise->get_future();
}

}  // namespace

absl::Status Preload(Client& client, const BenchOptions& options,
                     absl::FunctionRef<bool(uint64_t done)> on_progress) {
  const std::string value = RandomValue(options.value_size, 0);
  const uint64_t entry_size = options.key_size + options.value_size + 16;
  const uint64_t per_batch =
      std::clamp<uint64_t>(kBytesPerBatch / entry_size, 1, kMostKeysPerBatch);
  std::queue<std::future<absl::Status>> in_flight;
  uint64_t done = 0;
  for (uint64_t first = 0; first < options.keys || !in_flight.empty(); first += per_batch) {
    if (first < options.keys) {
      const uint64_t count = std::min(per_batch, options.keys - first);
      in_flight.push(Start(client, Batch(options, value, first, count)));
      if (in_flight.size() < kBatchesInFlight) continue;
    }
    if (absl::Status status = in_flight.front().get(); !status.ok()) return status;
    in_flight.pop();
    done = std::min(done + per_batch, options.keys);
    if (!on_progress(done)) return absl::CancelledError("interrupted");
  }
  return absl::OkStatus();
}

}  // namespace ferrite::cli
