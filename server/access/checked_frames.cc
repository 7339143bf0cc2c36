#include "server/access/checked_frames.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "proto/wire/field_reader.h"
#include "proto/wire/field_writer.h"
#include "server/access/demand.h"
#include "server/auth/denial.h"
#include "server/handlers/frame_reply.h"

namespace ferrite {
namespace {

constexpr int kOperations = v1::PipelineRequest::kOperationsFieldNumber;

// Why one operation is not executed.
struct RefusedOperation {
  size_t index;  // in the frame
  absl::Status why;
};

std::vector<RefusedOperation> RefusalsOf(const std::vector<FrameOperation>& operations,
                                         const Identity& who) {
  std::vector<RefusedOperation> refusals;
  for (size_t i = 0; i < operations.size(); ++i) {
    const Demand demand = DemandOfOperation(operations[i]);
    if (!demand.problem.ok()) [[unlikely]] {
      refusals.push_back({i, demand.problem});
    } else if (!Allows(who, demand)) [[unlikely]] {
      refusals.push_back({i, Denied(who)});
    }
  }
  return refusals;
}

class PartialFrame final : public Answer {
 public:
  PartialFrame(const std::vector<FrameOperation>& operations,
               std::vector<RefusedOperation> refusals)
      : refusals_(std::move(refusals)), count_(operations.size()) {
    auto refusal = refusals_.begin();
    for (size_t i = 0; i < count_; ++i) {
      if (refusal != refusals_.end() && refusal->index == i) {
        ++refusal;
        continue;
      }
      const std::string_view message = operations[i].message;
      const size_t begin = allowed_.size();
      allowed_.resize(begin + BytesFieldSize(kOperations, message));
      FieldWriter(allowed_.data() + begin).Bytes(kOperations, message);
    }
    request_ = Request(std::string_view(allowed_));
  }

  // Has what is allowed executed. An error ends the stream, as that of a frame does.
  absl::Status Begin(const Handler& plain, const Turn& turn) {
    if (refusals_.size() == count_) return absl::OkStatus();
    Turn part(turn, request_, &reply_);
    absl::Status status = plain(&part);
    later_ = part.TakeAnswer();
    return status;
  }

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    if (later_ != nullptr) {
      if (const Next next = later_->Advance(&reply_, end); next != Next::kEnd) return next;
      later_.reset();
    }
    if (end->status.ok()) Gather(message);
    return Next::kEnd;
  }

 private:
  void Gather(ReplyWriter* message) {
    const std::string results = TakeBytes(&reply_);
    FieldReader result(results);
    FrameReply errors(message);
    auto refusal = refusals_.begin();
    for (size_t i = 0; i < count_; ++i) {
      if (refusal != refusals_.end() && refusal->index == i) {
        errors.AddError((refusal++)->why);
        continue;
      }
      if (!result.Next()) return;
      FieldWriter writer(message->Append(BytesFieldSize(result.number(), result.bytes())));
      writer.Bytes(result.number(), result.bytes());
    }
  }

  const std::vector<RefusedOperation> refusals_;
  const size_t count_;  // of operations
  std::string allowed_;
  Request request_;
  ReplyWriter reply_;
  std::unique_ptr<Answer> later_;  // to which all of that belongs
};

}  // namespace

Handler CheckedFrames(Handler plain, const AccessControl* access, const WireHandlers* wire) {
  return [plain = std::move(plain), access, wire](Turn* turn) -> absl::Status {
    thread_local std::vector<FrameOperation> operations;
    const Identity& who = access->IdentifyStream(turn);
    if (who.rights->empty()) return Denied(who);
    if (absl::Status status = wire->ReadFrame(turn->request(), &operations); !status.ok()) {
      return status;
    }
    std::vector<RefusedOperation> refusals = RefusalsOf(operations, who);
    if (refusals.empty()) [[likely]] {
      const FrameInScope read(turn->request(), &operations);
      return plain(turn);
    }
    auto answer = std::make_unique<PartialFrame>(operations, std::move(refusals));
    if (absl::Status status = answer->Begin(plain, *turn); !status.ok()) return status;
    turn->Later(std::move(answer));
    return absl::OkStatus();
  };
}

}  // namespace ferrite
