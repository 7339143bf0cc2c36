// Get and MGet.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "proto/wire/field_reader.h"
#include "server/handlers/limits.h"
#include "server/metrics/thread_counters.h"
#include "server/status.h"
#include "server/wire/wire_bytes.h"
#include "server/wire/wire_handlers.h"

namespace ferrite {
namespace {

constexpr uint32_t kMGetKeys = 1;  // MGetRequest.keys

grpc::Status ReplyTooLarge(size_t after_keys, size_t of_keys) {
  return MakeError(grpc::StatusCode::RESOURCE_EXHAUSTED, v1::ERROR_REASON_REPLY_TOO_LARGE,
                   "the reply would exceed 3.5 MiB (" + std::to_string(kMaxReplyBytes) +
                       " bytes) after " + std::to_string(after_keys) + " of " +
                       std::to_string(of_keys) + " keys; ask for fewer keys",
                   {{"limit", std::to_string(kMaxReplyBytes)}});
}

// Replaces `*keys` by those of a serialized MGetRequest, and checks them.
grpc::Status ParseKeys(std::string_view message, std::vector<std::string_view>* keys) {
  keys->clear();
  FieldReader field(message);
  while (field.Next()) {
    if (field.Is(kMGetKeys)) keys->push_back(field.bytes());
  }
  if (!field.well_formed()) return Malformed("MGetRequest");
  grpc::Status status = CheckBatchSize(keys->size());
  for (auto key = keys->begin(); status.ok() && key != keys->end(); ++key) status = CheckKey(*key);
  return status;
}

}  // namespace

grpc::Status WireHandlers::Get(const grpc::ByteBuffer& request, grpc::ByteBuffer* response) {
  thread_local v1::GetRequest message;
  thread_local ReadResult result;  // its buffer serves the thread's next call
  thread_local ReplyWriter reply;
  const WireBytes bytes(request);
  if (!message.ParseFromArray(bytes.view().data(), static_cast<int>(bytes.view().size()))) {
    return Malformed("GetRequest");
  }
  if (grpc::Status status = cache_.Read(message, &result); !status.ok()) return status;
  WriteRead(kWholeReply, result, &reply);
  result.value.Clear();  // no reference to a large value outlives the call
  *response = reply.Take();
  return grpc::Status::OK;
}

grpc::Status WireHandlers::MGet(const grpc::ByteBuffer& request, grpc::ByteBuffer* response) {
  thread_local std::vector<std::string_view> keys;
  thread_local std::array<ReadResult, kKeysPerStep> results;
  thread_local ReplyWriter reply;
  const WireBytes bytes(request);
  if (grpc::Status status = ParseKeys(bytes.view(), &keys); !status.ok()) return status;
  for (size_t begin = 0; begin < keys.size(); begin += kKeysPerStep) {
    const size_t count = std::min(kKeysPerStep, keys.size() - begin);
    store_.MGet({keys.data() + begin, count}, {results.data(), count});
    size_t hits = 0;
    for (size_t i = 0; i < count; ++i) {
      if (reply.size() <= kMaxReplyBytes) WriteRead(kMGetResult, results[i], &reply);
      hits += results[i].found;
      results[i].value.Clear();
    }
    ThreadCounters::Current().Count(CacheOutcome::kGetHit, hits);
    ThreadCounters::Current().Count(CacheOutcome::kGetMiss, count - hits);
    if (reply.size() > kMaxReplyBytes) {
      reply.Clear();
      return ReplyTooLarge(begin + count, keys.size());
    }
  }
  *response = reply.Take();
  return grpc::Status::OK;
}

}  // namespace ferrite
