#include "server/routing/forwarded_result.h"

#include <optional>

#include "proto/may_be_done.h"
#include "proto/wire/frame_result.h"
#include "server/call/status.h"
#include "server/routing/destination.h"

namespace ferrite {

absl::Status OwnersDiffer(const std::string& message,
                          const google::protobuf::Map<std::string, std::string>& facts) {
  return Counted(MakeError(absl::StatusCode::kUnavailable, v1::SLOT_IN_TRANSITION,
                           "the node that was taken for its owner says otherwise: " + message,
                           facts));
}

ForwardedResult ResultOf(const LaneParcel& parcel, size_t operation) {
  if (!parcel.status.ok()) return {.status = parcel.status};
  const std::optional<FrameResult> result = ReadFrameResult(parcel.operations[operation].result);
  if (!result.has_value() || result->field == 0) {
    return {.status = PeerUnreachable("", "", absl::UnavailableError("its reply is malformed"),
                                      /*sent=*/true)};
  }
  ForwardedResult found = {.field = result->field, .message = result->message};
  if (found.is_error()) {
    const v1::OperationError error = ErrorIn(found.message);
    if (error.reason() == v1::SLOT_MOVED) {
      return {.status = OwnersDiffer(error.message(), error.metadata())};
    }
  }
  return found;
}

v1::OperationError ErrorIn(std::string_view message) {
  v1::OperationError error;
  if (!error.ParseFromArray(message.data(), static_cast<int>(message.size())) ||
      error.code() <= 0 || error.code() > 16) {
    error.Clear();
    error.set_code(static_cast<int>(absl::StatusCode::kUnknown));
    error.set_message("the owner of the slot answered with an error that cannot be read");
  }
  return error;
}

absl::Status StatusOf(const v1::OperationError& error) {
  const auto code = static_cast<absl::StatusCode>(error.code());
  if (error.reason() == v1::ERROR_REASON_UNSPECIFIED) return absl::Status(code, error.message());
  return MakeError(code, error.reason(), error.message(), error.metadata());
}

absl::Status ExecutedWithoutAnswer(const std::string& what, uint64_t limit_bytes) {
  const std::string limit = std::to_string(limit_bytes);
  return MakeError(absl::StatusCode::kResourceExhausted, v1::REPLY_TOO_LARGE,
                   what + " left no room for its answer, as there may be " + limit +
                       " bytes; the operation was executed",
                   {{"limit", limit}, {"executed", "yes"}});
}

Forwarded FateOf(const ForwardedResult& result) {
  if (result.status.ok()) return Forwarded::kAnswered;
  switch (ReasonOf(result.status)) {
    case v1::SLOT_IN_TRANSITION:
      return Forwarded::kMoved;
    case v1::OVERLOADED:
    case v1::REPLY_TOO_LARGE:
    case v1::REQUEST_TOO_LARGE:
      return Forwarded::kRefused;
    case v1::DEADLINE_PASSED:
      return Forwarded::kLate;
    default:
      return Forwarded::kUnreachable;
  }
}

bool FoundNoRoom(const ForwardedResult& result) {
  if (!result.is_error()) return false;
  const v1::OperationError error = ErrorIn(result.message);
  return error.reason() == v1::REPLY_TOO_LARGE && !MayBeDone(error);
}

}  // namespace ferrite
