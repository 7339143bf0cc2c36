#include "server/routing/scattered.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"
#include "proto/wire/frame_operation.h"
#include "proto/wire/frame_result.h"
#include "server/call/limits.h"
#include "server/routing/served_since.h"

namespace ferrite {
namespace {

using v1::PipelineRequest;

size_t SizeOfOperation(const ScatteredOperation& operation, const OperationTerms& terms) {
  if (operation.field == 0) return operation.body.size();
  const size_t request = operation.body_is_key
                             ? BytesFieldSize(v1::GetRequest::kKeyFieldNumber, operation.body)
                             : operation.body.size();
  return BytesFieldSize(operation.field, request) + terms.Size();
}

void WriteOperation(const ScatteredOperation& operation, const OperationTerms& terms,
                    FieldWriter* writer) {
  if (operation.field == 0) return writer->Content(operation.body);
  if (operation.body_is_key) {
    constexpr int kKey = v1::GetRequest::kKeyFieldNumber;  // as in all requests about one key
    writer->Head(operation.field, BytesFieldSize(kKey, operation.body));
    writer->Bytes(kKey, operation.body);
  } else {
    writer->Bytes(operation.field, operation.body);
  }
  terms.Write(writer);
}

// A frame with its reply, once that is there.
struct LocalReply {
  std::string bytes;
  Request request;
};

class ScatteredAnswer final : public Answer {
 public:
  ScatteredAnswer(size_t operations, bool in_order, Gather gather, ThreadRouting* here, Turn* turn)
      : in_order_(in_order),
        gather_(gather),
        here_(*here),
        since_(here),
        forwarded_(std::make_shared<ForwardedOperations>(turn->waker())) {
    parts_.reserve(operations);
  }
  ~ScatteredAnswer() override { forwarded_->Abandon(); }

  void Begin(const std::vector<ScatteredOperation>& operations, const Handler& frames, Turn* turn) {
    const bool may_forward = ThreadRouting::MayForward(turn->caller());
    const OperationTerms terms = {.traceparent =
                                      turn->caller().Metadata("traceparent").value_or("")};
    for (const ScatteredOperation& operation : operations) Send(operation, may_forward, terms);
    ServeHere(frames, turn);
  }

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    if (later_ != nullptr && LocalPartHasLapsed()) later_.reset();
    if (later_ != nullptr) {
      CallEnd local_end;
      if (const Next next = later_->Advance(&local_writer_, &local_end); next != Next::kEnd) {
        return next;
      }
      later_.reset();
      TakeLocalReply(local_end.status);
    }
    if (!forwarded_->all_ended() || SendOneAgain()) return Next::kWait;
    end->status = gather_(Results(), message);
    return Next::kEnd;
  }

 private:
  struct Part {
    Way way = Way::kServe;
    uint32_t slot = kSlotCount;  // kSlotCount: none
    size_t index = 0;            // among those that are served here, or were forwarded
    absl::Status problem;
  };

  void Send(const ScatteredOperation& operation, bool may_forward, const OperationTerms& terms) {
    Part& part = parts_.emplace_back();
    part.problem = operation.problem;
    if (!part.problem.ok()) return;
    if (!operation.key.empty()) {
      part.slot = SlotOf(operation.key);
      part.way = here_.WayTo(part.slot, may_forward);
    }
    if (part.way == Way::kServe) {
      part.index = local_count_++;
      constexpr int kOperations = PipelineRequest::kOperationsFieldNumber;
      const size_t size = SizeOfOperation(operation, {});
      const size_t begin = local_frame_.size();
      local_frame_.resize(begin + BytesFieldSize(kOperations, size));
      FieldWriter writer(local_frame_.data() + begin);
      writer.Head(kOperations, size);
      WriteOperation(operation, {}, &writer);
    } else if (part.way == Way::kForward) {
      std::string message(SizeOfOperation(operation, terms), '\0');
      FieldWriter writer(message.data());
      WriteOperation(operation, terms, &writer);
      part.index = forwarded_->size();
      const auto sent = forwarded_->Add(std::move(message), operation.deadline);
      if (absl::Status status = here_.Forward(part.slot, sent); !status.ok()) {
        sent->End(std::move(status));
      }
    } else {
      part.problem = here_.Refuse(part.way, part.slot);
    }
  }

  void ServeHere(const Handler& frames, Turn* turn) {
    if (local_count_ == 0) return;
    local_request_ = Request(std::string_view(local_frame_));
    Turn part(*turn, local_request_, &local_writer_);
    const absl::Status status = frames(&part);
    later_ = part.TakeAnswer();
    if (later_ == nullptr) TakeLocalReply(status);
  }

  // As in Serve: before each step of an answer that has not written anything yet.
  bool LocalPartHasLapsed() {
    if (since_.AllStill()) return false;
    for (const Part& part : parts_) {
      if (part.way == Way::kServe && part.problem.ok() && part.slot != kSlotCount)
        local_status_.Update(since_.Check(part.slot));
    }
    return !local_status_.ok();
  }

  void TakeLocalReply(const absl::Status& status) {
    local_status_ = status;
    if (!status.ok()) return;
    auto reply = std::make_shared<LocalReply>();
    reply->bytes = TakeBytes(&local_writer_);
    reply->request = Request(std::string_view(reply->bytes));
    local_reply_ = std::shared_ptr<const Request>(reply, &reply->request);
    FrameResultReader results(local_reply_->bytes());
    while (const std::optional<FrameResult> result = results.Next()) {
      local_results_.push_back(*result);
    }
    FERRITE_CHECK(local_results_.size() == local_count_);
  }

  ScatteredResult ResultOfPart(const Part& part) const {
    if (!part.problem.ok()) return {.result = {.status = part.problem}};
    if (part.way == Way::kForward) {
      const LaneOperation& operation = (*forwarded_)[part.index];
      return {.result = ResultOf(operation), .owner = operation.reply};
    }
    if (!local_status_.ok()) return {.result = {.status = local_status_}};
    const FrameResult& result = local_results_[part.index];
    return {.result = {.field = result.field, .message = result.message}, .owner = local_reply_};
  }

  // All have ended.
  ScatteredResults Results() const {
    ScatteredResults results;
    results.reserve(parts_.size());
    const bool all_still = since_.AllStill();
    for (const Part& part : parts_) {
      ScatteredResult& result = results.emplace_back(ResultOfPart(part));
      if (!part.problem.ok()) continue;
      if (part.way == Way::kForward) {
        here_.tally()->Count(FateOf(result.result));
      } else if (!all_still && part.slot != kSlotCount) {
        if (absl::Status lapsed = since_.Check(part.slot); !lapsed.ok()) {
          result = {.result = {.status = std::move(lapsed)}};
        }
      }
    }
    return results;
  }

  bool SendOneAgain() {
    size_t bytes_before = 0;
    for (size_t i = 0; i < parts_.size() && bytes_before <= kMaxReplyBytes; ++i) {
      const Part& part = parts_[i];
      const ForwardedResult result = ResultOfPart(part).result;
      bytes_before += result.message.size();
      if (!part.problem.ok() || part.way != Way::kForward || !FoundNoRoom(result) ||
          (*forwarded_)[part.index].alone || (in_order_ && IsOvertaken(i))) {
        continue;
      }
      here_.ForwardAgain(part.slot, forwarded_.get(), part.index);
      return true;
    }
    return false;
  }

  bool IsOvertaken(size_t index) const {
    return std::any_of(parts_.begin() + static_cast<std::ptrdiff_t>(index) + 1, parts_.end(),
                       [&](const Part& later) { return later.slot == parts_[index].slot; });
  }

  const bool in_order_;
  const Gather gather_;
  ThreadRouting& here_;
  const ServedSince since_;
  const std::shared_ptr<ForwardedOperations> forwarded_;
  std::vector<Part> parts_;

  // What is served here: a frame, its answer if that is not there at once, and its reply.
  size_t local_count_ = 0;
  std::string local_frame_;
  Request local_request_;
  ReplyWriter local_writer_;
  std::unique_ptr<Answer> later_;
  absl::Status local_status_;
  std::shared_ptr<const Request> local_reply_;
  std::vector<FrameResult> local_results_;
};

}  // namespace

absl::Status Scatter(const std::vector<ScatteredOperation>& operations, bool in_order,
                     Gather gather, const Handler* frames, ThreadRouting* here, Turn* turn) {
  auto answer = std::make_unique<ScatteredAnswer>(operations.size(), in_order, gather, here, turn);
  answer->Begin(operations, *frames, turn);
  turn->Later(std::move(answer));
  return absl::OkStatus();
}

}  // namespace ferrite
