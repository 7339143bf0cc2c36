// The operations of a frame. Those that are of one simple kind go to the store together. Of a mix,
// each is an operation of its own, but the store is told of all their keys before.

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <string_view>

#include "proto/wire/get_response.h"
#include "proto/wire/number_pair.h"
#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/handlers/read_result.h"
#include "server/handlers/wire_handlers.h"
#include "server/metrics/refusals.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {
namespace {

using Kind = FrameOperation::Kind;

// From this size on an operation that is not simple is looked into for how much room it needs: most
// likely it is a Set with options.
constexpr size_t kLargeOperationBytes = 1024;

void Count(CacheOutcome outcome, uint64_t n = 1) { ThreadCounters::Current().Count(outcome, n); }

void WriteError(const absl::Status& status, ReplyWriter* reply) {
  thread_local v1::OperationResult result;
  CountRefusal(status);
  *result.mutable_error() = ToOperationError(status);
  WriteMessage(kPipelineResult, result, reply);
}

absl::Status ReplyFull() {
  return MakeError(absl::StatusCode::kResourceExhausted, v1::REPLY_TOO_LARGE,
                   "the reply of the frame has no room left (3.5 MiB, " +
                       std::to_string(kMaxReplyBytes) +
                       " bytes); the operation was not executed: send it in another frame");
}

// Whether `bytes` more can be sent. The first outcome may be as large as it is: as a call of its
// own it would not be limited either.
bool HasRoom(const ReplyWriter& reply, size_t bytes) {
  return reply.size() == 0 || reply.size() + bytes <= kMaxReplyBytes;
}

void WriteReadOutcome(ReadResult* result, ReplyWriter* reply) {
  // The exact size is worked out only where it matters.
  const size_t at_most = result->value.view().size() + kMostAroundValueBytes;
  if (HasRoom(*reply, at_most) || HasRoom(*reply, ReadBytes(kReadOutcome, *result))) {
    WriteRead(kReadOutcome, *result, reply);
  } else {
    WriteError(ReplyFull(), reply);
  }
  result->value.Clear();
}

void WriteSetOutcome(const SetResult& result, ReplyWriter* reply) {
  if (result.outcome == SetOutcome::kMemoryFull) {
    ThreadCounters::Current().Count(ShedReason::kMemory);
    return WriteError(MemoryFull(), reply);
  }
  Count(CacheOutcome::kSetStored);  // these have no condition
  WriteNumbers(kSetOutcome, 1, result.version, reply);
}

void WriteDeleteOutcome(const DeleteResult& result, ReplyWriter* reply) {
  Count(result.deleted ? CacheOutcome::kDeleteDeleted : CacheOutcome::kDeleteMiss);
  WriteNumbers(kDeleteOutcome, result.deleted, result.version, reply);
}

SetOptions OptionsOf(const FrameOperation& operation) {
  SetOptions options;
  if (operation.ttl_ms != 0) options.expiry = Expiry::After(operation.ttl_ms);
  return options;
}

bool AllAre(Kind kind, std::span<const FrameOperation> operations) {
  return std::all_of(operations.begin(), operations.end(),
                     [kind](const FrameOperation& operation) { return operation.kind == kind; });
}

}  // namespace

absl::Status WireHandlers::Pipeline(const Request& frame, ReplyWriter* reply) {
  thread_local std::vector<FrameOperation> operations;
  if (!ParseFrame(frame.bytes(), kMaxBatchKeys, limits(), &operations)) {
    return Malformed("PipelineRequest");
  }
  if (absl::Status status = CheckFrameSize(operations.size()); !status.ok()) return status;
  for (size_t begin = 0; begin < operations.size(); begin += kKeysPerStep) {
    const size_t count = std::min(kKeysPerStep, operations.size() - begin);
    Execute({operations.data() + begin, count}, reply);
  }
  return absl::OkStatus();
}

size_t WireHandlers::RoomFor(const Request& frame) {
  std::vector<FrameOperation> operations;
  if (!ParseFrame(frame.bytes(), kMaxBatchKeys, limits(), &operations)) return 0;
  std::vector<SetItem> items;
  std::deque<v1::Operation> others;  // to which items point
  for (const FrameOperation& operation : operations) {
    if (operation.kind == Kind::kSet) {
      items.push_back({operation.key, operation.value, OptionsOf(operation)});
    } else if (operation.kind == Kind::kOther && operation.message.size() >= kLargeOperationBytes) {
      const std::string_view bytes = operation.message;
      v1::Operation& other = others.emplace_back();
      if (!other.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) continue;
      const v1::SetRequest& set = other.set();
      // Others fail before they write.
      if (CheckSet(set, cache_.max_value_bytes()).ok()) cache_.AddItem(set, &items);
    }
  }
  return RoomReservation::BytesFor(&store_, items);
}

OperationLimits WireHandlers::limits() const {
  return {.key_bytes = kMaxKeyBytes, .value_bytes = cache_.max_value_bytes(), .ttl_ms = kMaxTtlMs};
}

void WireHandlers::Execute(std::span<const FrameOperation> operations, ReplyWriter* reply) {
  if (AllAre(Kind::kGet, operations)) return Reads(operations, reply);
  if (AllAre(Kind::kSet, operations)) return Writes(operations, reply);
  if (AllAre(Kind::kPublish, operations)) return Messages(operations, reply);
  Mixed(operations, reply);
}

void WireHandlers::Reads(std::span<const FrameOperation> operations, ReplyWriter* reply) {
  thread_local std::array<ReadResult, kKeysPerStep> results;
  std::array<std::string_view, kKeysPerStep> keys;
  for (size_t i = 0; i < operations.size(); ++i) keys[i] = operations[i].key;
  store_.MGet({keys.data(), operations.size()}, {results.data(), operations.size()});
  size_t hits = 0;
  for (size_t i = 0; i < operations.size(); ++i) {
    hits += results[i].found;
    WriteReadOutcome(&results[i], reply);
  }
  Count(CacheOutcome::kGetHit, hits);
  Count(CacheOutcome::kGetMiss, operations.size() - hits);
}

void WireHandlers::Writes(std::span<const FrameOperation> operations, ReplyWriter* reply) {
  std::array<SetItem, kKeysPerStep> items;
  std::array<SetResult, kKeysPerStep> results;
  for (size_t i = 0; i < operations.size(); ++i) {
    items[i] = {operations[i].key, operations[i].value, OptionsOf(operations[i])};
  }
  store_.MSet({items.data(), operations.size()}, {results.data(), operations.size()});
  for (size_t i = 0; i < operations.size(); ++i) WriteSetOutcome(results[i], reply);
}

void WireHandlers::Messages(std::span<const FrameOperation> operations, ReplyWriter* reply) {
  for (const FrameOperation& operation : operations) Publish(operation, reply);
}

void WireHandlers::Publish(const FrameOperation& operation, ReplyWriter* reply) {
  const PublishResult result = events_.Publish(operation.key, operation.value);
  WriteNumbers(kPublishOutcome, result.receivers, result.sequence, reply);
}

void WireHandlers::Mixed(std::span<const FrameOperation> operations, ReplyWriter* reply) {
  std::array<std::string_view, kKeysPerStep> keys;
  for (size_t i = 0; i < operations.size(); ++i) keys[i] = operations[i].key;
  store_.InTurn({keys.data(), operations.size()},
                [&](size_t i) { ExecuteOne(operations[i], reply); });
}

void WireHandlers::ExecuteOne(const FrameOperation& operation, ReplyWriter* reply) {
  switch (operation.kind) {
    case Kind::kGet: {
      thread_local ReadResult result;
      store_.Get(operation.key, {}, &result);
      Count(result.found ? CacheOutcome::kGetHit : CacheOutcome::kGetMiss);
      return WriteReadOutcome(&result, reply);
    }
    case Kind::kSet:
      return WriteSetOutcome(store_.Set(operation.key, operation.value, OptionsOf(operation)),
                             reply);
    case Kind::kDelete:
      return WriteDeleteOutcome(store_.Delete(operation.key), reply);
    case Kind::kPublish:
      return Publish(operation, reply);
    case Kind::kOther:
      return ExecuteOther(operation, reply);
  }
}

void WireHandlers::ExecuteOther(const FrameOperation& operation, ReplyWriter* reply) {
  thread_local v1::Operation request;
  thread_local v1::OperationResult result;
  if (!request.ParseFromArray(operation.message.data(),
                              static_cast<int>(operation.message.size()))) {
    return WriteError(Malformed("Operation"), reply);
  }
  // Looked at before, as what was written cannot be taken back when its answer does not fit.
  const bool with_value = request.has_get() || request.set().return_previous();
  if (with_value && !HasRoom(*reply, cache_.max_value_bytes())) {
    return WriteError(ReplyFull(), reply);
  }
  result.Clear();
  const absl::Status status = cache_.Execute(request, &result);
  if (!status.ok()) return WriteError(status, reply);
  WriteMessage(kPipelineResult, result, reply);
}

}  // namespace ferrite
