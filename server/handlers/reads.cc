// Get and MGet.

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "proto/wire/field_reader.h"
#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/handlers/read_result.h"
#include "server/handlers/wire_handlers.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {
namespace {

constexpr uint32_t kMGetKeys = v1::MGetRequest::kKeysFieldNumber;

// Replaces `*keys` by those of a serialized MGetRequest, and checks them.
absl::Status ParseKeys(std::string_view message, std::vector<std::string_view>* keys) {
  keys->clear();
  FieldReader field(message);
  while (field.Next()) {
    if (field.Is(kMGetKeys)) keys->push_back(field.bytes());
  }
  if (!field.well_formed()) return Malformed("MGetRequest");
  absl::Status status = CheckBatchSize(keys->size());
  for (size_t i = 0; status.ok() && i < keys->size(); ++i) {
    status = CheckKey((*keys)[i]);
    if (!status.ok()) return AtIndex(status, i);
  }
  return status;
}

}  // namespace

absl::Status ReplyTooLarge(size_t fitting_keys, size_t of_keys) {
  return MakeError(
      absl::StatusCode::kResourceExhausted, v1::REPLY_TOO_LARGE,
      "the reply would exceed 3.5 MiB (" + std::to_string(kMaxReplyBytes) +
          " bytes), and more than one of its values: the first " + std::to_string(fitting_keys) +
          " of " + std::to_string(of_keys) + " keys fit; ask for fewer keys at a time",
      {{"limit", std::to_string(kMaxReplyBytes)}, {"fitting_keys", std::to_string(fitting_keys)}});
}

absl::Status WireHandlers::Get(const Request& request, ReplyWriter* reply) {
  thread_local v1::GetRequest message;
  thread_local ReadResult result;  // its buffer serves the thread's next call
  if (!request.ParseInto(&message)) return Malformed("GetRequest");
  if (absl::Status status = cache_.Read(message, &result); !status.ok()) return status;
  WriteRead(kWholeReply, result, reply);
  result.value.Clear();  // no reference to a large value outlives the call
  return absl::OkStatus();
}

absl::Status WireHandlers::MGet(const Request& request, ReplyWriter* reply) {
  thread_local std::vector<std::string_view> keys;
  thread_local std::array<ReadResult, kKeysPerStep> results;
  if (absl::Status status = ParseKeys(request.bytes(), &keys); !status.ok()) return status;
  size_t values = 0;
  for (size_t begin = 0; begin < keys.size(); begin += kKeysPerStep) {
    const size_t count = std::min(kKeysPerStep, keys.size() - begin);
    store_.MGet({keys.data() + begin, count}, {results.data(), count});
    size_t hits = 0;
    std::optional<size_t> fitting_keys;  // if that is not all
    for (size_t i = 0; i < count; ++i) {
      hits += results[i].found;
      values += !results[i].value.view().empty();
      if (!fitting_keys.has_value()) WriteRead(kMGetResult, results[i], reply);
      // One value is sent whatever its size: nobody could ask for less.
      if (reply->size() > kMaxReplyBytes && values > 1 && !fitting_keys) fitting_keys = begin + i;
      results[i].value.Clear();
    }
    ThreadCounters::Current().Count(CacheOutcome::kGetHit, hits);
    ThreadCounters::Current().Count(CacheOutcome::kGetMiss, count - hits);
    if (fitting_keys.has_value()) return ReplyTooLarge(*fitting_keys, keys.size());
  }
  return absl::OkStatus();
}

}  // namespace ferrite
