#include "client/pipeline/call_verdict.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "client/annotated.h"
#include "client/error.h"
#include "ferrite/v1/cache.pb.h"

namespace ferrite {
namespace {

absl::Status NoSuchAnswer() {
  return absl::InternalError("the server answered an operation of a frame with something else");
}

// Whether a stream that ended with this status executed none of the frames that have no reply.
bool IsRefusal(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  return reason == "SHUTTING_DOWN" || reason == "OVERLOADED" || reason == "MALFORMED";
}

// The outcome of a call that was sent and has no answer.
absl::Status OutcomeUnknown(const absl::Status& status) {
  return Annotated(status, "", "; whether the call was carried out is not known");
}

}  // namespace

CallVerdict VerdictOnResult(const std::optional<FrameResult>& result, PendingCall* call) {
  if (!result.has_value()) return {.status = NoSuchAnswer()};
  if (result->field == call->field()) {
    return {.status = call->ParseResponse(result->message) ? absl::OkStatus() : NoSuchAnswer()};
  }
  v1::OperationError error;
  if (result->field != v1::OperationResult::kErrorFieldNumber ||
      !error.ParseFromArray(result->message.data(), static_cast<int>(result->message.size()))) {
    return {.status = NoSuchAnswer()};
  }
  // Other operations of its frame left no room for its answer; it was not executed.
  if (error.reason() == v1::REPLY_TOO_LARGE) {
    return {.kind = CallVerdict::Kind::kSendAlone};
  }
  const SlotError slot = SlotErrorIn(error);
  const bool is_away = slot.kind == SlotError::Kind::kAway;
  CallVerdict verdict = {.kind = CallVerdict::Kind::kTryAgain,
                         .status = ToAbslStatus(error),
                         .repeatable = call->terms().repeatable || (is_away && !slot.may_be_done),
                         .patient = is_away};
  if (slot.kind == SlotError::Kind::kMoved) {
    verdict.kind = CallVerdict::Kind::kFollow;
    verdict.moved = slot;
  }
  if (error.has_retry_pushback_ms()) verdict.pushback = absl::StrCat(error.retry_pushback_ms());
  return verdict;
}

CallVerdict VerdictOnBrokenStream(const absl::Status& why, bool was_sent, bool repeatable,
                                  bool has_choice) {
  if (why.code() == absl::StatusCode::kUnimplemented) {
    return {.kind = CallVerdict::Kind::kSendAlone};  // a server from before Pipeline
  }
  // What was not executed can be sent elsewhere, until its time is over.
  const bool is_elsewhere =
      has_choice && (was_sent ? ReasonOf(why) == "SHUTTING_DOWN" : absl::IsUnavailable(why));
  const bool is_safe = repeatable || is_elsewhere || (was_sent && IsRefusal(why));
  return {.kind = CallVerdict::Kind::kTryAgain,
          .status = was_sent && !is_safe ? OutcomeUnknown(why) : why,
          .repeatable = is_safe,
          .patient = is_elsewhere};
}

}  // namespace ferrite
