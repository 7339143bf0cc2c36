#include "client/error.h"

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/annotated.h"
#include "client/retry.h"
#include "ferrite/internal/v1/standard.pb.h"
#include "grpcpp/support/status.h"
#include "proto/may_be_done.h"

namespace ferrite {
namespace {

absl::string_view Abseil(std::string_view text) { return {text.data(), text.size()}; }

// gRPC wraps the system's message in several layers, as in "failed to connect to all addresses;
// last error: UNKNOWN: ipv4:127.0.0.1:1: Failed to connect to remote host: Connection refused". The
// innermost one is what people need.
std::string_view InnermostCause(std::string_view message) {
  const size_t colon = message.rfind(": ");
  return colon == std::string_view::npos ? message : message.substr(colon + 2);
}

internal::v1::ErrorInfo InfoOf(v1::ErrorReason reason) {
  internal::v1::ErrorInfo info;
  info.set_reason(v1::ErrorReason_Name(reason));
  info.set_domain("ferrite");
  return info;
}

void SetInfo(const internal::v1::ErrorInfo& info, absl::Status* status) {
  status->SetPayload(kErrorInfoTypeUrl, absl::Cord(info.SerializeAsString()));
}

std::string NoAnswerText(std::string_view address, absl::Duration timeout) {
  return absl::StrCat("no answer from ", Abseil(address), " within ",
                      absl::FormatDuration(timeout));
}

std::string Humane(const grpc::Status& status, std::string_view address, absl::Duration timeout) {
  const std::string& message = status.error_message();
  const bool is_answer = IsAnswer(status) && !message.empty();
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      if (is_answer) return message;  // which may be about another node
      if (CouldNotConnect(status)) {
        return absl::StrCat("cannot reach ", Abseil(address), ": ",
                            Abseil(InnermostCause(message)));
      }
      return absl::StrCat(Abseil(address), " is unavailable: ", message);
    case grpc::StatusCode::CANCELLED:
      return absl::StrCat(Abseil(address), " is unavailable: it has cancelled the call",
                          message.empty() ? "" : ": ", message);
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return is_answer ? message : NoAnswerText(address, timeout);
    case grpc::StatusCode::UNIMPLEMENTED:
      return absl::StrCat("the server at ", Abseil(address), " does not know this call",
                          message.empty() ? "" : ": ", message);
    default:
      return message.empty() ? absl::StrCat("the call to ", Abseil(address), " failed") : message;
  }
}

}  // namespace

grpc::Status MalformedAnswer() {
  return {grpc::StatusCode::INTERNAL,
          "the answer has the status OK, but no message that can be understood"};
}

bool IsAnswer(const grpc::Status& status) { return status.ok() || !status.error_details().empty(); }

bool CouldNotConnect(const grpc::Status& status) {
  const std::string& message = status.error_message();
  return status.error_code() == grpc::StatusCode::UNAVAILABLE && !IsAnswer(status) &&
         (absl::StrContains(message, "failed to connect") ||
          absl::StrContains(message, "resolution failed"));
}

bool MayBeDone(const absl::Status& status) { return MayBeDone(ToOperationError(status)); }

bool SaysLeaseLost(const absl::Status& status) {
  return absl::IsUnavailable(status) && ReasonOf(status) == "LEASE_LOST";
}

std::string ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kErrorInfoTypeUrl);
  internal::v1::ErrorInfo info;
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) return "";
  return info.reason();
}

std::optional<absl::Duration> RetryAfter(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryInfoTypeUrl);
  internal::v1::RetryInfo info;
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) return std::nullopt;
  return absl::Seconds(info.retry_delay().seconds()) +
         absl::Nanoseconds(info.retry_delay().nanos());
}

void SetRetryAfter(std::string_view pushback, absl::Status* status) {
  const std::optional<absl::Duration> delay = PushbackOf(pushback);
  if (!delay.has_value()) return;
  absl::Duration rest = *delay;
  internal::v1::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(absl::IDivDuration(rest, absl::Seconds(1), &rest));
  info.mutable_retry_delay()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  status->SetPayload(kRetryInfoTypeUrl, absl::Cord(info.SerializeAsString()));
}

absl::Status ToAbslStatus(const grpc::Status& status, std::string_view address,
                          absl::Duration timeout) {
  if (status.ok()) return absl::OkStatus();
  // The codes of absl and gRPC have the same numbers.
  const auto code = status.error_code() == grpc::StatusCode::CANCELLED
                        ? absl::StatusCode::kUnavailable
                        : static_cast<absl::StatusCode>(status.error_code());
  absl::Status result(code, Humane(status, address, timeout));
  internal::v1::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) {
      if (detail.type_url() == kErrorInfoTypeUrl) {
        result.SetPayload(kErrorInfoTypeUrl, absl::Cord(detail.value()));
      }
    }
  }
  return result;
}

absl::Status ToAbslStatus(const v1::OperationError& error) {
  // An error that says OK is no success: what it is the outcome of has no answer.
  const auto code =
      error.code() == 0 ? absl::StatusCode::kUnknown : static_cast<absl::StatusCode>(error.code());
  absl::Status result(code, error.message());
  if (error.reason() != v1::ERROR_REASON_UNSPECIFIED) {
    internal::v1::ErrorInfo info = InfoOf(error.reason());
    *info.mutable_metadata() = error.metadata();
    SetInfo(info, &result);
  }
  if (error.has_retry_pushback_ms()) {
    SetRetryAfter(absl::StrCat(error.retry_pushback_ms()), &result);
  }
  return result;
}

v1::OperationError ToOperationError(const absl::Status& status) {
  v1::OperationError error;
  error.set_code(static_cast<int>(status.code()));
  error.set_message(std::string(status.message()));
  const auto payload = status.GetPayload(kErrorInfoTypeUrl);
  internal::v1::ErrorInfo info;
  v1::ErrorReason reason;
  if (payload.has_value() && info.ParseFromString(std::string(*payload)) &&
      v1::ErrorReason_Parse(info.reason(), &reason)) {
    error.set_reason(reason);
    *error.mutable_metadata() = info.metadata();
  }
  if (const std::optional<absl::Duration> delay = RetryAfter(status)) {
    error.set_retry_pushback_ms(absl::ToInt64Milliseconds(*delay));
  }
  return error;
}

absl::Status NoAnswer(std::string_view address, absl::Duration timeout) {
  return absl::DeadlineExceededError(NoAnswerText(address, timeout));
}

absl::Status Hopeless(std::string_view address) {
  return absl::DeadlineExceededError(
      absl::StrCat("not sent to ", Abseil(address),
                   ": after the calls that wait already it could not have been done before its "
                   "deadline"));
}

absl::Status HeldBack(std::string_view address) {
  absl::Status status = absl::ResourceExhaustedError(
      absl::StrCat("not sent to ", Abseil(address), ": it has more calls than it can take"));
  SetInfo(InfoOf(v1::OVERLOADED), &status);
  return status;
}

absl::Status OutcomeUnknown(const absl::Status& status) {
  return Annotated(status, "", "; whether the call was carried out is not known");
}

absl::Status AfterLostTry(const absl::Status& status) {
  if (status.ok() || MayBeDone(status)) return status;
  v1::OperationError error = ToOperationError(status);
  error.set_message(error.message() + "; an earlier try may have been carried out");
  (*error.mutable_metadata())["executed"] = "unknown";
  return ToAbslStatus(error);
}

absl::Status ClientIsGone() {
  return absl::CancelledError("the client was destroyed before the call had ended");
}

absl::Status CancelledByCaller() {
  return absl::CancelledError("the caller cancelled the call before it had ended");
}

}  // namespace ferrite
