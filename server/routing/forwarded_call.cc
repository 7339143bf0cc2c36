#include "server/routing/forwarded_call.h"

#include <string>
#include <utility>

#include "proto/wire/frame_operation.h"
#include "server/routing/forwarded_result.h"

namespace ferrite {
namespace {

// The request and the trace of a call as an Operation.
std::string OperationOf(const Turn& turn, int field) {
  const Request& request = turn.request();
  const OperationTerms terms = {.traceparent = turn.caller().Metadata("traceparent").value_or("")};
  std::string operation(BytesFieldSize(field, request.size()) + terms.Size(), '\0');
  FieldWriter writer(operation.data());
  writer.Head(field, request.size());
  request.CopyOut(0, request.size(), reinterpret_cast<char*>(writer.at()));
  writer.MoveTo(writer.at() + request.size());
  terms.Write(&writer);
  return operation;
}

class ForwardedCall final : public Answer {
 public:
  ForwardedCall(std::shared_ptr<ForwardedOperations> operations, int field, uint32_t slot,
                ThreadRouting* here)
      : operations_(std::move(operations)), field_(field), slot_(slot), here_(*here) {}
  ~ForwardedCall() override { operations_->Abandon(); }

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    if (!operations_->all_ended()) return Next::kWait;
    const LaneOperation& operation = (*operations_)[0];
    const ForwardedResult result = ResultOf(operation);
    if (!operation.alone && FoundNoRoom(result)) {
      here_.ForwardAgain(slot_, operations_.get(), 0);
      return Next::kWait;
    }
    here_.tally()->Count(FateOf(result));
    if (!result.status.ok()) {
      end->status = result.status;
    } else if (result.is_error()) {
      const v1::OperationError error = ErrorIn(result.message);
      end->status = StatusOf(error);
      if (error.has_retry_pushback_ms()) {
        end->trailers.emplace_back("grpc-retry-pushback-ms",
                                   std::to_string(error.retry_pushback_ms()));
      }
    } else if (result.field == field_) {
      message->AppendShared(result.message, operation.reply);
    } else {
      end->status = absl::InternalError("the owner of the slot answered something else");
    }
    return Next::kEnd;
  }

 private:
  const std::shared_ptr<ForwardedOperations> operations_;
  const int field_;
  const uint32_t slot_;
  ThreadRouting& here_;
};

}  // namespace

absl::Status ForwardCall(Turn* turn, int field, uint32_t slot, ThreadRouting* here) {
  auto operations = std::make_shared<ForwardedOperations>(turn->waker());
  absl::Status status =
      here->Forward(slot, operations->Add(OperationOf(*turn, field), turn->caller().deadline()));
  if (!status.ok()) {
    here->tally()->Count(FateOf({.status = status}));
    return status;
  }
  turn->Later(std::make_unique<ForwardedCall>(std::move(operations), field, slot, here));
  return absl::OkStatus();
}

}  // namespace ferrite
