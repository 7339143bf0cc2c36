#include "server/handlers/frame_reply.h"

#include <string>

#include "proto/wire/number_pair.h"
#include "server/call/status.h"
#include "server/handlers/operation_error.h"
#include "server/metrics/refusals.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {
namespace {

void CountOutcome(CacheOutcome outcome) { ThreadCounters::Current().Count(outcome); }

}  // namespace

void FrameReply::AddSet(const SetResult& result, const Store& store) {
  if (result.outcome == SetOutcome::kMemoryFull) {
    ThreadCounters::Current().Count(ShedReason::kMemory);
    return AddError(MemoryFull(store.max_memory_bytes()));
  }
  CountOutcome(CacheOutcome::kSetStored);
  WriteNumbers(kSetOutcome, 1, result.version, &writer_);
}

void FrameReply::AddDelete(const DeleteResult& result) {
  CountOutcome(result.deleted ? CacheOutcome::kDeleteDeleted : CacheOutcome::kDeleteMiss);
  WriteNumbers(kDeleteOutcome, result.deleted, result.version, &writer_);
}

void FrameReply::AddPublish(const PublishResult& result) {
  WriteNumbers(kPublishOutcome, result.receivers, result.sequence, &writer_);
}

void FrameReply::Add(const v1::OperationResult& result, bool with_value) {
  WriteMessage(kPipelineResult, result, &writer_);
  has_value_ |= with_value;
}

void FrameReply::AddError(const absl::Status& status) {
  thread_local v1::OperationResult result;
  CountRefusal(status);
  *result.mutable_error() = ToOperationError(status);
  WriteMessage(kPipelineResult, result, &writer_);
}

void FrameReply::AddFull() {
  static const absl::Status full = MakeError(
      absl::StatusCode::kResourceExhausted, v1::REPLY_TOO_LARGE,
      "the reply of the frame has no room left (3.5 MiB, " + std::to_string(kMaxReplyBytes) +
          " bytes); the operation was not executed: send it in another frame",
      {{"limit", std::to_string(kMaxReplyBytes)}});
  AddError(full);
}

}  // namespace ferrite
