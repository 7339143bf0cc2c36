#include "server/routing/routed_frame.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"
#include "proto/wire/field_writer.h"
#include "proto/wire/get_response.h"
#include "proto/wire/nesting.h"
#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/handlers/frame_reply.h"
#include "server/routing/operation_key.h"
#include "server/routing/scattered.h"
#include "server/routing/served_since.h"

namespace ferrite {
namespace {

// From this size on a frame may not be answered at once, as room is made for what it writes; then
// Scatter waits for its answer.
constexpr size_t kLargeFrameBytes = size_t{256} << 10;
// Answers without a value are smaller.
constexpr size_t kMostWithoutValue = 128;

// It was executed, so that it is no use to say that it was not.
absl::Status AnswerTooLarge() {
  return MakeError(absl::StatusCode::kResourceExhausted, v1::REPLY_TOO_LARGE,
                   "the reply of the frame has no room left (3.5 MiB, " +
                       std::to_string(kMaxReplyBytes) +
                       " bytes) for this answer; the operation was executed",
                   {{"limit", std::to_string(kMaxReplyBytes)}, {"executed", "yes"}});
}

void WriteResult(const ScatteredResult& result, ReplyWriter* reply) {
  const std::string_view message = result.result.message;
  const int field = result.result.field;
  const size_t size = BytesFieldSize(field, message.size());
  constexpr int kResults = v1::PipelineResponse::kResultsFieldNumber;
  FieldWriter writer(reply->Append(HeadSize(kResults, size) + HeadSize(field, message.size())));
  writer.Head(kResults, size);
  writer.Head(field, message.size());
  reply->AppendShared(message, result.owner);
}

absl::Status GatherFrame(const ScatteredResults& results, ReplyWriter* reply) {
  FrameReply errors(reply);
  bool has_value = false;
  for (const ScatteredResult& result : results) {
    const size_t size = result.result.message.size();
    if (!result.result.status.ok()) {
      errors.AddError(result.result.status);
    } else if (size <= kMostWithoutValue || !has_value ||
               reply->size() + size + kMostAroundValueBytes <= kMaxReplyBytes) {
      WriteResult(result, reply);
      has_value |= size > kMostWithoutValue;
    } else if (result.result.field == v1::OperationResult::kGetFieldNumber) {
      errors.AddFull();
    } else {
      errors.AddError(AnswerTooLarge());
    }
  }
  return absl::OkStatus();
}

// In place of the results of slots that are no longer served here, says so.
void ReplaceLapsed(const ServedSince& since, const Slots& slots, ReplyWriter* reply) {
  if (since.AllStill()) [[likely]]
    return;
  const std::string bytes = TakeBytes(reply);
  FrameReply errors(reply);
  FieldReader field(bytes);
  for (const uint32_t slot : slots) {
    if (!field.Next()) return;
    if (slot != kSlotCount) {  // kSlotCount: the operation had no key, and failed
      if (const absl::Status lapsed = since.Check(slot); !lapsed.ok()) {
        errors.AddError(lapsed);
        continue;
      }
    }
    FieldWriter writer(reply->Append(BytesFieldSize(field.number(), field.bytes())));
    writer.Bytes(field.number(), field.bytes());
  }
}

LaneOperation::Clock::time_point DeadlineOf(const Turn& turn, uint32_t timeout_ms) {
  const auto of_stream = turn.caller().deadline();
  if (timeout_ms == kNoTimeout) return of_stream;
  return std::min(of_stream, turn.received() + std::chrono::milliseconds(timeout_ms));
}

absl::Status AnswerFrame(const Handler& plain, ThreadRouting* here, Turn* turn) {
  std::vector<ScatteredOperation> operations;
  Slots slots;
  bool all_here = turn->request().size() < kLargeFrameBytes;
  const ServedSince since(here);
  const cluster::ClusterView& view = here->view();
  const bool may_serve = here->may_serve();
  FieldReader field(turn->request().bytes());
  while (operations.size() <= kMaxBatchKeys && field.Next()) {
    if (!field.Is(v1::PipelineRequest::kOperationsFieldNumber)) continue;
    OperationSubject subject = SubjectOfOperation(field.bytes());
    const uint32_t slot = subject.key.empty() ? kSlotCount : SlotOf(subject.key);
    slots.push_back(slot);
    all_here &= subject.problem.ok() &&
                (slot == kSlotCount ||
                 WayOf(view, view.route(slot), may_serve, /*may_forward=*/false) == Way::kServe);
    operations.push_back({.body = field.bytes(),
                          .problem = std::move(subject.problem),
                          .key = subject.key,
                          .deadline = DeadlineOf(*turn, subject.timeout_ms)});
  }
  if (!field.well_formed()) return Malformed("PipelineRequest");
  if (absl::Status status = CheckFrameSize(operations.size()); !status.ok()) return status;
  if (!all_here) return Scatter(operations, /*in_order=*/true, &GatherFrame, &plain, here, turn);
  if (absl::Status status = plain(turn); !status.ok()) return status;
  ReplaceLapsed(since, slots, turn->reply());
  return absl::OkStatus();
}

}  // namespace

Handler RoutedFrames(Handler plain, const Router* router) {
  return [plain = std::move(plain), router](Turn* turn) {
    return AnswerFrame(plain, router->of(turn->thread_index()), turn);
  };
}

}  // namespace ferrite
