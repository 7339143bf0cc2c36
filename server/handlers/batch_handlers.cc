// The calls of CacheService on many keys.

#include <algorithm>
#include <array>
#include <string_view>

#include "server/handlers/cache_handlers.h"
#include "server/handlers/limits.h"
#include "server/handlers/read_result.h"
#include "server/metrics/thread_counters.h"
#include "server/status.h"

namespace ferrite {
namespace {

// Keys that go to the store in one call. A multiple of the store's own groups; for reads the
// distance between two looks at the size of the reply.
constexpr size_t kStep = 64;

}  // namespace

grpc::Status CacheHandlers::MGet(const v1::MGetRequest& request, v1::MGetResponse* response) {
  if (grpc::Status status = CheckKeys(request.keys()); !status.ok()) return status;
  thread_local std::array<ReadResult, kStep> results;
  std::array<std::string_view, kStep> keys;
  const size_t key_count = static_cast<size_t>(request.keys_size());
  response->mutable_results()->Reserve(request.keys_size());
  size_t reply_bytes = 0;
  for (size_t begin = 0; begin < key_count; begin += kStep) {
    const size_t count = std::min(kStep, key_count - begin);
    for (size_t i = 0; i < count; ++i) keys[i] = request.keys(static_cast<int>(begin + i));
    store_.MGet({keys.data(), count}, {results.data(), count});
    for (size_t i = 0; i < count; ++i) {
      v1::GetResponse* result = response->add_results();
      reply_bytes += results[i].value.view().size();
      if (reply_bytes <= kMaxReplyBytes) {
        FillAndCount(results[i], result);
        reply_bytes +=
            result->ByteSizeLong() - result->value().size() + 4;  // 4: what holds it in the reply
      }
      results[i].value.Clear();
    }
    if (reply_bytes > kMaxReplyBytes) {
      return MakeError(grpc::StatusCode::RESOURCE_EXHAUSTED, v1::ERROR_REASON_REPLY_TOO_LARGE,
                       "the reply would exceed 3.5 MiB (" + std::to_string(kMaxReplyBytes) +
                           " bytes) after " + std::to_string(begin + count) + " of " +
                           std::to_string(key_count) + " keys; ask for fewer keys",
                       {{"limit", std::to_string(kMaxReplyBytes)}});
    }
  }
  return grpc::Status::OK;
}

grpc::Status CacheHandlers::MSet(const v1::MSetRequest& request, v1::MSetResponse* response) {
  if (grpc::Status status = CheckBatchSize(request.entries_size()); !status.ok()) return status;
  // All are checked before the first is written: a bad request changes nothing.
  for (const v1::SetRequest& entry : request.entries()) {
    if (grpc::Status status = CheckSet(entry, max_value_bytes_); !status.ok()) return status;
    if (entry.request_id().empty()) {
      if (grpc::Status status = CheckNotPast(entry); !status.ok()) return status;
    }
    if (entry.return_previous()) {
      return InvalidArgument(
          v1::ERROR_REASON_CONTRADICTION,
          "return_previous is for Set: the previous values of a batch might not fit in its reply");
    }
  }
  // In order, as a key may be there twice: runs of entries without a request_id together, the
  // others one by one.
  std::array<SetItem, kStep> items;
  std::array<SetResult, kStep> results;
  const int entry_count = request.entries_size();
  for (int begin = 0; begin < entry_count;) {
    size_t count = 0;
    for (; count < kStep && begin + static_cast<int>(count) < entry_count; ++count) {
      const v1::SetRequest& entry = request.entries(begin + static_cast<int>(count));
      if (!entry.request_id().empty()) break;
      items[count] = ItemOf(entry);
    }
    store_.MSet({items.data(), count}, {results.data(), count});
    for (size_t i = 0; i < count; ++i) {
      v1::MSetResult* result = response->add_results();
      const grpc::Status status = FillAndCountSet(results[i], result->mutable_response());
      if (!status.ok()) *result->mutable_error() = ToOperationError(status);
    }
    begin += static_cast<int>(count);
    if (begin == entry_count || count == kStep) continue;
    v1::MSetResult* result = response->add_results();
    const grpc::Status status =
        SetChecked(request.entries(begin++), true, result->mutable_response());
    if (!status.ok()) *result->mutable_error() = ToOperationError(status);
  }
  return grpc::Status::OK;
}

grpc::Status CacheHandlers::MDelete(const v1::MDeleteRequest& request,
                                    v1::MDeleteResponse* response) {
  if (grpc::Status status = CheckKeys(request.keys()); !status.ok()) return status;
  std::array<std::string_view, kStep> keys;
  std::array<DeleteResult, kStep> results;
  const size_t key_count = static_cast<size_t>(request.keys_size());
  for (size_t begin = 0; begin < key_count; begin += kStep) {
    const size_t count = std::min(kStep, key_count - begin);
    for (size_t i = 0; i < count; ++i) keys[i] = request.keys(static_cast<int>(begin + i));
    store_.MDelete({keys.data(), count}, {results.data(), count});
    for (size_t i = 0; i < count; ++i) {
      ThreadCounters::Current().Count(results[i].deleted ? CacheOutcome::kDeleteDeleted
                                                         : CacheOutcome::kDeleteMiss);
      response->add_deleted(results[i].deleted);
    }
  }
  return grpc::Status::OK;
}

}  // namespace ferrite
