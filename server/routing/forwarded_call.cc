#include "server/routing/forwarded_call.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "proto/wire/frame_operation.h"
#include "server/call/status.h"
#include "server/routing/forwarded_result.h"
#include "server/routing/held_replies.h"

namespace ferrite {
namespace {

// Of a large request so much is copied in one step.
constexpr size_t kStepBytes = size_t{256} << 10;

// The request and the trace of a call as an Operation, made in short steps.
class OperationInTheMaking {
 public:
  OperationInTheMaking(const Turn& turn, int field, std::string scope)
      : request_(turn.request()),
        scope_(std::move(scope)),
        terms_{.traceparent = ThreadRouting::TraceOf(turn.caller()), .request_scope = scope_} {
    operation_.reserve(BytesFieldSize(field, request_.size()) + terms_.Size());
    FieldWriter(Extend(HeadSize(field, request_.size()))).Head(field, request_.size());
  }

  // The next step; whether it is made.
  bool Step() {
    const size_t bytes = std::min(kStepBytes, request_.size() - copied_);
    request_.CopyOut(copied_, bytes, Extend(bytes));
    copied_ += bytes;
    if (copied_ < request_.size()) return false;
    FieldWriter writer(Extend(terms_.Size()));
    terms_.Write(&writer);
    return true;
  }
  std::string Take() { return std::move(operation_); }

 private:
  char* Extend(size_t bytes) {
    operation_.resize(operation_.size() + bytes);
    return operation_.data() + operation_.size() - bytes;
  }

  const Request& request_;
  const std::string scope_;
  const OperationTerms terms_;
  std::string operation_;
  size_t copied_ = 0;
};

class ForwardedCall final : public Answer {
 public:
  ForwardedCall(Turn* turn, int field, const RequestPlace& place, ThreadRouting* here)
      : operations_(std::make_shared<ForwardedOperations>(turn->waker())),
        deadline_(turn->caller().deadline()),
        field_(field),
        slot_(place.slot),
        here_(*here),
        operation_(std::in_place, *turn, field,
                   place.has_request_id ? here->ScopeOf(turn->caller()) : "") {}
  ~ForwardedCall() override { operations_->Abandon(); }

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    if (operation_.has_value()) {
      if (!operation_->Step()) return Next::kYield;
      parcel_ = operations_->Begin(operation_->Take(), deadline_);
      operation_.reset();
      here_.Forward(slot_, operations_->Share(parcel_));
    }
    if (!operations_->all_ended()) return Next::kWait;
    const ForwardedResult result = ResultOf(*parcel_, 0);
    if (parcel_->round == 0 && FoundNoRoom(result)) {
      operations_->Again(parcel_);
      here_.Forward(slot_, operations_->Share(parcel_));
      return Next::kWait;
    }
    here_.tally()->Count(FateOf(result));
    if (!result.status.ok()) {
      end->status = result.status;
    } else if (result.is_error()) {
      const v1::OperationError error = ErrorIn(result.message);
      end->status = Counted(StatusOf(error));  // by the owner
      if (error.has_retry_pushback_ms()) {
        end->trailers.emplace_back("grpc-retry-pushback-ms",
                                   std::to_string(error.retry_pushback_ms()));
      }
    } else if (result.field == field_) {
      AppendPart(result.message, parcel_->reply, message);
    } else {
      end->status = absl::InternalError("the owner of the slot answered something else");
    }
    return Next::kEnd;
  }

 private:
  const std::shared_ptr<ForwardedOperations> operations_;
  const LaneOperation::Clock::time_point deadline_;
  const int field_;
  const uint32_t slot_;
  ThreadRouting& here_;
  std::optional<OperationInTheMaking> operation_;  // until it has been forwarded
  LaneParcel* parcel_ = nullptr;                   // then; of operations_
};

}  // namespace

void ForwardCall(Turn* turn, int field, const RequestPlace& place, ThreadRouting* here) {
  turn->Later(std::make_unique<ForwardedCall>(turn, field, place, here));
}

}  // namespace ferrite
