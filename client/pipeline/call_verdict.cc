#include "client/pipeline/call_verdict.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "client/error.h"
#include "ferrite/v1/cache.pb.h"
#include "proto/may_be_done.h"

namespace ferrite {
namespace {

absl::Status NoSuchAnswer() {
  return absl::InternalError("the server answered an operation of a frame with something else");
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
  const bool may_be_done = MayBeDone(error);
  const bool is_safe = call->terms().repeatable || !may_be_done;
  // Other operations of its frame left no room for its answer.
  if (error.reason() == v1::REPLY_TOO_LARGE && is_safe) {
    return {.kind = CallVerdict::Kind::kSendAlone, .may_be_done = may_be_done};
  }
  const SlotError slot = SlotErrorIn(error);
  const bool is_away = slot.kind == SlotError::Kind::kAway;
  CallVerdict verdict = {.kind = CallVerdict::Kind::kTryAgain,
                         .status = ToAbslStatus(error),
                         .may_be_done = may_be_done,
                         .repeatable = is_safe,
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
      has_choice &&
      (was_sent ? ReasonOf(why) == "SHUTTING_DOWN" && !MayBeDone(why) : absl::IsUnavailable(why));
  // What has no reply on a stream that was refused was not executed.
  const bool is_safe = repeatable || is_elsewhere || (was_sent && !MayBeDone(why));
  return {.kind = CallVerdict::Kind::kTryAgain,
          .status = was_sent && !is_safe ? OutcomeUnknown(why) : why,
          .may_be_done = was_sent && MayBeDone(why),
          .repeatable = is_safe,
          .patient = is_elsewhere};
}

}  // namespace ferrite
