// The operations of a frame. Those that are of one simple kind go to the store together. Of a mix,
// each is an operation of its own, but the store is told of all their keys before.

#include <algorithm>
#include <array>
#include <deque>
#include <string_view>

#include "server/call/limits.h"
#include "server/call/request_scope.h"
#include "server/call/status.h"
#include "server/handlers/typed_handler.h"
#include "server/handlers/wire_handlers.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {
namespace {

using Kind = FrameOperation::Kind;

// From this size on an operation that is not simple is looked into for how much room it needs: most
// likely it is a Set with options.
constexpr size_t kLargeOperationBytes = 1024;

void CountInFrame(CacheOutcome outcome, uint64_t n = 1) {
  ThreadCounters::Current().Count(outcome, n);
}

const absl::Status& TooLate() {
  static const absl::Status late = MakeError(
      absl::StatusCode::kDeadlineExceeded, v1::DEADLINE_PASSED,
      "the time of the operation (timeout_ms) was over before its turn came; nothing was done");
  return late;
}

SetOptions OptionsOf(const FrameOperation& operation, const Expiry& otherwise) {
  SetOptions options;
  options.expiry = operation.ttl_ms != 0 ? Expiry::After(operation.ttl_ms) : otherwise;
  return options;
}

bool AllAre(Kind kind, std::span<const FrameOperation> operations) {
  return std::all_of(operations.begin(), operations.end(),
                     [kind](const FrameOperation& operation) { return operation.kind == kind; });
}

// The least time that one of them has.
uint32_t Shortest(std::span<const FrameOperation> operations) {
  uint32_t shortest = kNoTimeout;
  for (const FrameOperation& operation : operations) {
    shortest = std::min(shortest, operation.timeout_ms);
  }
  return shortest;
}

}  // namespace

bool WireHandlers::FrameInHand::IsLate(int64_t timeout_ms) const {
  return (Clock::now() - received) / std::chrono::milliseconds(1) >= timeout_ms;
}

absl::Status WireHandlers::Pipeline(const Request& frame, Clock::time_point received,
                                    ReplyWriter* reply) {
  thread_local std::vector<FrameOperation> operations;
  if (absl::Status status = ReadFrame(frame, &operations); !status.ok()) return status;
  Execute(operations, received, reply);
  return absl::OkStatus();
}

absl::Status WireHandlers::ReadFrame(const Request& frame,
                                     std::vector<FrameOperation>* operations) const {
  if (FrameInScope::Take(frame, operations)) return absl::OkStatus();
  if (!ParseFrame(frame.bytes(), kMaxBatchKeys, limits(), operations)) {
    return Malformed("PipelineRequest");
  }
  return CheckFrameSize(operations->size());
}

void WireHandlers::Execute(const std::vector<FrameOperation>& operations,
                           Clock::time_point received, ReplyWriter* reply) {
  FrameInHand in_hand = {received, FrameReply(reply)};
  for (size_t begin = 0; begin < operations.size(); begin += kKeysPerStep) {
    const size_t count = std::min(kKeysPerStep, operations.size() - begin);
    ExecuteStep({operations.data() + begin, count}, &in_hand);
  }
}

size_t WireHandlers::RoomFor(const Request& frame) {
  std::vector<FrameOperation> operations;
  if (!ParseFrame(frame.bytes(), kMaxBatchKeys, limits(), &operations)) return 0;
  std::vector<SetItem> items;
  std::deque<v1::Operation> others;  // to which items point
  for (const FrameOperation& operation : operations) {
    if (operation.kind == Kind::kSet) {
      items.push_back(
          {operation.key, operation.value, OptionsOf(operation, cache_.default_expiry())});
    } else if (operation.kind == Kind::kOther && operation.message.size() >= kLargeOperationBytes) {
      const std::string_view bytes = operation.message;
      v1::Operation& other = others.emplace_back();
      if (!other.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) continue;
      const v1::SetRequest& set = other.set();
      const ForwardedScope scope(other.request_scope());
      // Others fail before they write.
      if (CheckSet(set, cache_.max_value_bytes()).ok()) cache_.AddItem(set, &items);
    }
  }
  return RoomReservation::BytesFor(&store_, items);
}

OperationLimits WireHandlers::limits() const {
  return {.key_bytes = kMaxKeyBytes, .value_bytes = cache_.max_value_bytes(), .ttl_ms = kMaxTtlMs};
}

void WireHandlers::ExecuteStep(std::span<const FrameOperation> operations, FrameInHand* frame) {
  const uint32_t shortest = Shortest(operations);
  if (shortest != kNoTimeout && frame->IsLate(shortest)) [[unlikely]] {
    return ExecuteThoseInTime(operations, frame);
  }
  if (AllAre(Kind::kGet, operations)) return Reads(operations, &frame->reply);
  if (AllAre(Kind::kSet, operations)) return Writes(operations, &frame->reply);
  if (AllAre(Kind::kPublish, operations)) return Messages(operations, &frame->reply);
  Mixed(operations, frame);
}

void WireHandlers::ExecuteThoseInTime(std::span<const FrameOperation> operations,
                                      FrameInHand* frame) {
  for (const FrameOperation& operation : operations) {
    const bool late = operation.timeout_ms != kNoTimeout && frame->IsLate(operation.timeout_ms);
    late ? Refuse(frame) : ExecuteOne(operation, frame);
  }
}

void WireHandlers::Refuse(FrameInHand* frame) {
  ThreadCounters::Current().Count(ShedReason::kDeadline);
  frame->reply.AddError(TooLate());
}

void WireHandlers::Reads(std::span<const FrameOperation> operations, FrameReply* reply) {
  thread_local std::array<ReadResult, kKeysPerStep> results;
  std::array<std::string_view, kKeysPerStep> keys;
  for (size_t i = 0; i < operations.size(); ++i) keys[i] = operations[i].key;
  store_.MGet({keys.data(), operations.size()}, {results.data(), operations.size()});
  size_t hits = 0;
  for (size_t i = 0; i < operations.size(); ++i) {
    hits += results[i].found;
    reply->AddRead(&results[i]);
  }
  CountInFrame(CacheOutcome::kGetHit, hits);
  CountInFrame(CacheOutcome::kGetMiss, operations.size() - hits);
}

void WireHandlers::Writes(std::span<const FrameOperation> operations, FrameReply* reply) {
  std::array<SetItem, kKeysPerStep> items;
  std::array<SetResult, kKeysPerStep> results;
  const Expiry otherwise = cache_.default_expiry();
  for (size_t i = 0; i < operations.size(); ++i) {
    items[i] = {operations[i].key, operations[i].value, OptionsOf(operations[i], otherwise)};
  }
  store_.MSet({items.data(), operations.size()}, {results.data(), operations.size()});
  for (size_t i = 0; i < operations.size(); ++i) reply->AddSet(results[i], store_);
}

void WireHandlers::Messages(std::span<const FrameOperation> operations, FrameReply* reply) {
  for (const FrameOperation& operation : operations) {
    reply->AddPublish(events_.Publish(operation.key, operation.value));
  }
}

void WireHandlers::Mixed(std::span<const FrameOperation> operations, FrameInHand* frame) {
  std::array<std::string_view, kKeysPerStep> keys;
  for (size_t i = 0; i < operations.size(); ++i) keys[i] = operations[i].key;
  store_.InTurn({keys.data(), operations.size()},
                [&](size_t i) { ExecuteOne(operations[i], frame); });
}

void WireHandlers::ExecuteOne(const FrameOperation& operation, FrameInHand* frame) {
  FrameReply* const reply = &frame->reply;
  switch (operation.kind) {
    case Kind::kGet: {
      thread_local ReadResult result;
      store_.Get(operation.key, {}, &result);
      CountInFrame(result.found ? CacheOutcome::kGetHit : CacheOutcome::kGetMiss);
      return reply->AddRead(&result);
    }
    case Kind::kSet:
      return reply->AddSet(
          store_.Set(operation.key, operation.value, OptionsOf(operation, cache_.default_expiry())),
          store_);
    case Kind::kDelete:
      return reply->AddDelete(store_.Delete(operation.key));
    case Kind::kPublish:
      return reply->AddPublish(events_.Publish(operation.key, operation.value));
    case Kind::kOther:
      return ExecuteOther(operation, frame);
  }
}

void WireHandlers::ExecuteOther(const FrameOperation& operation, FrameInHand* frame) {
  thread_local v1::Operation request;
  thread_local v1::OperationResult result;
  FrameReply* const reply = &frame->reply;
  const std::string_view message = operation.message;
  const auto execute = [&] {
    if (!request.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
      return reply->AddError(Malformed("Operation"));
    }
    if (request.has_timeout_ms() && frame->IsLate(request.timeout_ms())) return Refuse(frame);
    const bool asks_for_value = request.has_get() || request.set().return_previous();
    if (asks_for_value && !HasRoomForValueOf(request, *reply)) return reply->AddFull();
    const ForwardedScope scope(request.request_scope());
    const absl::Status status = cache_.Execute(request, &result);
    if (!status.ok()) return reply->AddError(status);
    reply->Add(result, !result.get().value().empty() || !result.set().previous().value().empty());
  };
  execute();
  Empty(message.size(), &request);
  Empty(static_cast<size_t>(result.GetCachedSize()), &result);
}

bool WireHandlers::HasRoomForValueOf(const v1::Operation& request, const FrameReply& reply) {
  if (reply.HasRoomFor(cache_.max_value_bytes())) return true;
  // Looked at before, as what was written cannot be taken back when its answer does not fit.
  const std::string& key = request.has_get() ? request.get().key() : request.set().key();
  if (!CheckKey(key).ok()) return true;  // it will be refused
  ReadResult now;
  store_.Peek(key, true, &now);
  return now.value.view().empty() || reply.HasRoomFor(now.value.view().size());
}

}  // namespace ferrite
