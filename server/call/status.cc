#include "server/call/status.h"

#include "absl/strings/cord.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace ferrite {
namespace {

// Serialized when the error is made, so that one that is made once and returned often, such as
// OVERLOADED, costs little.
constexpr char kDetailsUrl[] = "type.googleapis.com/google.rpc.Status";

// Debian's Abseil has a string_view of its own.
absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

absl::Status MakeError(absl::StatusCode code, v1::ErrorReason reason, std::string_view message,
                       std::initializer_list<std::pair<std::string_view, std::string>> facts) {
  google::rpc::ErrorInfo info;
  info.set_reason(v1::ErrorReason_Name(reason));
  info.set_domain("ferrite");
  for (const auto& [name, value] : facts) (*info.mutable_metadata())[std::string(name)] = value;
  google::rpc::Status details;
  details.set_code(static_cast<int>(code));
  details.set_message(std::string(message));
  details.add_details()->PackFrom(info);
  absl::Status status(code, ToAbsl(message));
  status.SetPayload(kDetailsUrl, absl::Cord(details.SerializeAsString()));
  return status;
}

absl::Status InvalidArgument(
    v1::ErrorReason reason, std::string_view message,
    std::initializer_list<std::pair<std::string_view, std::string>> facts) {
  return MakeError(absl::StatusCode::kInvalidArgument, reason, message, facts);
}

absl::Status Malformed(std::string_view type) {
  return InvalidArgument(v1::MALFORMED,
                         "what was sent is not a message of type ferrite.v1." + std::string(type));
}

absl::Status MemoryFull() {
  return MakeError(absl::StatusCode::kResourceExhausted, v1::MEMORY_FULL,
                   "the memory limit (--max-memory) is reached and nothing could be evicted; "
                   "nothing was changed");
}

std::string DetailsOf(const absl::Status& status) {
  const auto details = status.GetPayload(kDetailsUrl);
  return details.has_value() ? std::string(*details) : std::string();
}

v1::ErrorReason ReasonOf(const absl::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  v1::ErrorReason reason;
  if (details.ParseFromString(DetailsOf(status)) && details.details_size() > 0 &&
      details.details(0).UnpackTo(&info) && v1::ErrorReason_Parse(info.reason(), &reason)) {
    return reason;
  }
  return v1::ERROR_REASON_UNSPECIFIED;
}

v1::OperationError ToOperationError(const absl::Status& status) {
  v1::OperationError error;
  error.set_code(static_cast<int>(status.code()));
  error.set_message(std::string(status.message()));
  error.set_reason(ReasonOf(status));
  return error;
}

}  // namespace ferrite
