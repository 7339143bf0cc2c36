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
#include "proto/wire/frame_operation.h"
#include "proto/wire/get_response.h"
#include "proto/wire/nesting.h"
#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/handlers/frame_reply.h"
#include "server/handlers/large_writes.h"
#include "server/routing/held_replies.h"
#include "server/routing/operation_key.h"
#include "server/routing/scattered.h"
#include "server/routing/served_since.h"

namespace ferrite {
namespace {

void WriteResult(const ScatteredResult& result, ReplyWriter* reply) {
  const std::string_view message = result.result.message;
  const int field = result.result.field;
  const size_t size = BytesFieldSize(field, message.size());
  constexpr int kResults = v1::PipelineResponse::kResultsFieldNumber;
  FieldWriter writer(reply->Append(HeadSize(kResults, size) + HeadSize(field, message.size())));
  writer.Head(kResults, size);
  writer.Head(field, message.size());
  AppendPart(message, *result.reply, reply);
}

absl::Status GatherFrame(const ScatteredResults& results, ReplyWriter* reply) {
  FrameReply errors(reply);
  bool has_value = false;
  for (const ScatteredResult& result : results) {
    const size_t size = result.result.message.size();
    const bool may_have_value = size > kMostWithoutValue && !result.result.is_error();
    if (!result.result.status.ok()) {
      errors.AddError(result.result.status);
    } else if (!may_have_value || !has_value ||
               reply->size() + size + kMostAroundValueBytes <= kMaxReplyBytes) {
      WriteResult(result, reply);
      has_value |= may_have_value;
    } else if (result.result.field == v1::OperationResult::kGetFieldNumber) {
      errors.AddFull();
    } else {
      // It was executed, so that it is no use to say that it was not.
      errors.AddError(ExecutedWithoutAnswer("the answers before it in its frame", kMaxReplyBytes));
    }
  }
  return absl::OkStatus();
}

// kSlotCount: the operation has no key, and fails wherever it is executed.
uint32_t SlotOfSubject(std::string_view key) { return key.empty() ? kSlotCount : SlotOf(key); }

// In place of the results of slots that are no longer served here, says so.
void ReplaceLapsedInFrame(const ServedSince& since, std::string_view frame, ReplyWriter* reply) {
  if (since.AllStill()) [[likely]]
    return;
  const std::string bytes = TakeBytes(reply);
  FrameReply errors(reply);
  FieldReader result(bytes);
  FieldReader operation(frame);
  while (operation.Next()) {
    if (!operation.Is(v1::PipelineRequest::kOperationsFieldNumber)) continue;
    if (!result.Next()) return;
    const uint32_t slot = SlotOfSubject(SubjectOfOperation(operation.bytes()).key);
    const absl::Status lapsed = slot == kSlotCount ? absl::OkStatus() : since.Check(slot);
    if (!lapsed.ok()) {
      errors.AddError(lapsed);
      continue;
    }
    FieldWriter writer(reply->Append(BytesFieldSize(result.number(), result.bytes())));
    writer.Bytes(result.number(), result.bytes());
  }
}

// Whether all operations are served here, or at least fail here.
bool AllHere(const std::vector<FrameOperation>& operations, ThreadRouting* here) {
  const cluster::ClusterView& view = here->view();
  if (!here->may_serve()) return false;
  return std::all_of(operations.begin(), operations.end(), [&](const FrameOperation& operation) {
    std::string_view key = operation.key;
    if (operation.kind == FrameOperation::Kind::kOther) {
      const OperationSubject subject = SubjectOfOperation(operation.message);
      if (!subject.problem.ok()) return false;
      key = subject.key;
    }
    const uint32_t slot = SlotOfSubject(key);
    return slot == kSlotCount || view.route(slot).place == cluster::Route::Place::kHere;
  });
}

absl::Status ScatterFrame(const std::vector<FrameOperation>& operations, const Handler& plain,
                          ThreadRouting* here, Turn* turn) {
  const auto deadline = turn->caller().deadline();
  std::vector<ScatteredOperation> scattered;
  scattered.reserve(operations.size());
  for (const FrameOperation& operation : operations) {
    ScatteredOperation& each = scattered.emplace_back();
    each.operation.body = operation.message;
    each.key = operation.key;
    each.reads = operation.kind == FrameOperation::Kind::kGet;
    uint32_t timeout_ms = operation.timeout_ms;
    if (operation.kind == FrameOperation::Kind::kOther) {
      OperationSubject subject = SubjectOfOperation(operation.message);
      each.problem = std::move(subject.problem);
      each.key = subject.key;
      each.reads = subject.field == v1::Operation::kGetFieldNumber ||
                   subject.field == v1::Operation::kExistsFieldNumber;
      each.operation.has_request_id = subject.has_request_id;
      timeout_ms = subject.timeout_ms;
    }
    each.operation.deadline = deadline;
    if (timeout_ms != kNoTimeout) {
      each.operation.deadline =
          std::min(deadline, turn->received() + std::chrono::milliseconds(timeout_ms));
    }
  }
  return Scatter(scattered, /*in_order=*/true, &GatherFrame, &plain, here, turn);
}

absl::Status AnswerFrame(const Handler& plain, WireHandlers* wire, ThreadRouting* here,
                         Turn* turn) {
  thread_local std::vector<FrameOperation> operations;
  if (absl::Status status = wire->ReadFrame(turn->request(), &operations); !status.ok()) {
    return status;
  }
  const ServedSince since(here);
  // A large one is perhaps not answered at once, as room is made for what it writes.
  if (turn->request().size() >= kLargeBatchBytes || !AllHere(operations, here)) {
    return ScatterFrame(operations, plain, here, turn);
  }
  wire->Execute(operations, turn->received(), turn->reply());
  ReplaceLapsedInFrame(since, turn->request().bytes(), turn->reply());
  return absl::OkStatus();
}

}  // namespace

Handler RoutedFrames(Handler plain, WireHandlers* wire, const Router* router) {
  return [plain = std::move(plain), wire, router](Turn* turn) {
    return AnswerFrame(plain, wire, router->of(turn->thread_index()), turn);
  };
}

}  // namespace ferrite
