// The calls of CacheService that write many keys.

#include <algorithm>
#include <array>
#include <string_view>

#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/handlers/cache_handlers.h"
#include "server/handlers/operation_error.h"
#include "server/metrics/refusals.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {
namespace {

// Does nothing if it is OK.
void SetError(const absl::Status& status, v1::MSetResult* result) {
  if (status.ok()) return;
  CountRefusal(status);
  *result->mutable_error() = ToOperationError(status);
}

}  // namespace

absl::Status CacheHandlers::CheckMSet(const v1::MSetRequest& request) const {
  if (absl::Status status = CheckBatchSize(static_cast<size_t>(request.entries_size()));
      !status.ok())
    return status;
  // All are checked before the first is written: a bad request changes nothing.
  for (int i = 0; i < request.entries_size(); ++i) {
    if (absl::Status status = CheckEntry(request.entries(i)); !status.ok())
      return AtIndex(status, static_cast<size_t>(i));
  }
  return absl::OkStatus();
}

absl::Status CacheHandlers::CheckEntry(const v1::SetRequest& entry) const {
  if (absl::Status status = CheckSet(entry, max_value_bytes_); !status.ok()) return status;
  if (entry.request_id().empty()) {
    if (absl::Status status = CheckNotPast(entry); !status.ok()) return status;
  }
  if (!entry.return_previous()) return absl::OkStatus();
  return InvalidArgument(
      v1::CONTRADICTION,
      "return_previous is for Set: the previous values of a batch might not fit in its reply");
}

absl::Status CacheHandlers::MSet(const v1::MSetRequest& request, v1::MSetResponse* response) {
  if (absl::Status status = CheckMSet(request); !status.ok()) return status;
  // In order, as a key may be there twice: runs of entries without a request_id together, the
  // others one by one.
  std::array<SetItem, kKeysPerStep> items;
  std::array<SetResult, kKeysPerStep> results;
  const int entry_count = request.entries_size();
  for (int begin = 0; begin < entry_count;) {
    size_t count = 0;
    for (; count < kKeysPerStep && begin + static_cast<int>(count) < entry_count; ++count) {
      const v1::SetRequest& entry = request.entries(begin + static_cast<int>(count));
      if (!entry.request_id().empty()) break;
      items[count] = ItemOf(entry);
    }
    store_.MSet({items.data(), count}, {results.data(), count});
    for (size_t i = 0; i < count; ++i) {
      v1::MSetResult* result = response->add_results();
      const absl::Status status = FillAndCountSet(results[i], result->mutable_response());
      SetError(status, result);
    }
    begin += static_cast<int>(count);
    if (begin == entry_count || count == kKeysPerStep) continue;
    v1::MSetResult* result = response->add_results();
    const absl::Status status = SetChecked(request.entries(begin++), result->mutable_response());
    SetError(status, result);
  }
  return absl::OkStatus();
}

absl::Status CacheHandlers::MDelete(const v1::MDeleteRequest& request,
                                    v1::MDeleteResponse* response) {
  if (absl::Status status = CheckKeys(request.keys()); !status.ok()) return status;
  std::array<std::string_view, kKeysPerStep> keys;
  std::array<DeleteResult, kKeysPerStep> results;
  const size_t key_count = static_cast<size_t>(request.keys_size());
  for (size_t begin = 0; begin < key_count; begin += kKeysPerStep) {
    const size_t count = std::min(kKeysPerStep, key_count - begin);
    for (size_t i = 0; i < count; ++i) keys[i] = request.keys(static_cast<int>(begin + i));
    store_.MDelete({keys.data(), count}, {results.data(), count});
    for (size_t i = 0; i < count; ++i) {
      ThreadCounters::Current().Count(results[i].deleted ? CacheOutcome::kDeleteDeleted
                                                         : CacheOutcome::kDeleteMiss);
      response->add_deleted(results[i].deleted);
    }
  }
  return absl::OkStatus();
}

}  // namespace ferrite
