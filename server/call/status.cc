#include "server/call/status.h"

#include "absl/strings/cord.h"
#include "google/rpc/status.pb.h"

namespace ferrite {
namespace {

// Serialized when the error is made, so that one that is made once and returned often, such as
// OVERLOADED, costs little.
constexpr char kDetailsUrl[] = "type.googleapis.com/google.rpc.Status";
// The reason beside them, as a byte, for those who count it; another byte if it has been counted.
constexpr char kReasonUrl[] = "ferrite.reason";
static_assert(v1::ErrorReason_ARRAYSIZE <= 128);

// Debian's Abseil has a string_view of its own.
absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

// The flag that a text names first, such as "--max-memory"; empty if there is none.
std::string_view FlagIn(std::string_view text) {
  const size_t begin = text.find("--");
  if (begin == std::string_view::npos) return {};
  const size_t end = text.find_first_not_of("-abcdefghijklmnopqrstuvwxyz", begin);
  return text.substr(begin, end - begin);
}

void SetReason(v1::ErrorReason reason, absl::Status* status) {
  const char reason_byte = static_cast<char>(reason);
  status->SetPayload(kReasonUrl, absl::Cord(absl::string_view(&reason_byte, 1)));
}

// `*info` has the facts.
absl::Status WithInfo(absl::StatusCode code, v1::ErrorReason reason, std::string_view message,
                      google::rpc::ErrorInfo* info) {
  info->set_reason(v1::ErrorReason_Name(reason));
  info->set_domain("ferrite");
  google::rpc::Status details;
  details.set_code(static_cast<int>(code));
  details.set_message(std::string(message));
  details.add_details()->PackFrom(*info);
  absl::Status status(code, ToAbsl(message));
  status.SetPayload(kDetailsUrl, absl::Cord(details.SerializeAsString()));
  SetReason(reason, &status);
  return status;
}

}  // namespace

absl::Status MakeError(absl::StatusCode code, v1::ErrorReason reason, std::string_view message,
                       std::initializer_list<std::pair<std::string_view, std::string>> facts) {
  google::rpc::ErrorInfo info;
  for (const auto& [name, value] : facts) (*info.mutable_metadata())[std::string(name)] = value;
  if (const std::string_view flag = FlagIn(message); !flag.empty()) {
    (*info.mutable_metadata())["flag"] = std::string(flag);
  }
  return WithInfo(code, reason, message, &info);
}

absl::Status MakeError(absl::StatusCode code, v1::ErrorReason reason, std::string_view message,
                       const google::protobuf::Map<std::string, std::string>& facts) {
  google::rpc::ErrorInfo info;
  *info.mutable_metadata() = facts;
  return WithInfo(code, reason, message, &info);
}

absl::Status ErrorFromWire(absl::StatusCode code, std::string_view message,
                           const std::string& details) {
  absl::Status status(code, ToAbsl(message));
  if (details.empty()) return status;
  status.SetPayload(kDetailsUrl, absl::Cord(details));
  v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED;
  if (v1::ErrorReason_Parse(ErrorInfoOf(status).reason(), &reason)) SetReason(reason, &status);
  return status;
}

absl::Status InvalidArgument(
    v1::ErrorReason reason, std::string_view message,
    std::initializer_list<std::pair<std::string_view, std::string>> facts) {
  return MakeError(absl::StatusCode::kInvalidArgument, reason, message, facts);
}

absl::Status Malformed(std::string_view type) {
  const bool is_ours = type.find('.') == std::string_view::npos;
  return InvalidArgument(v1::MALFORMED, "what was sent is not a message of type " +
                                            std::string(is_ours ? "ferrite.v1." : "") +
                                            std::string(type));
}

absl::Status UnknownOperation() {
  return InvalidArgument(
      v1::OPERATION_UNKNOWN,
      "the operation is none that this server knows: one of get, set, delete, touch, incr, publish "
      "and exists must be set");
}

absl::Status MemoryFull(uint64_t limit_bytes) {
  // Made once for each limit: a full store refuses every operation of a frame.
  thread_local uint64_t limit_of_full = 0;
  thread_local absl::Status full;
  if (full.ok() || limit_of_full != limit_bytes) {
    const std::string limit = std::to_string(limit_bytes);
    limit_of_full = limit_bytes;
    full = MakeError(
        absl::StatusCode::kResourceExhausted, v1::MEMORY_FULL,
        "the memory limit of " + limit +
            " bytes (--max-memory, or of the namespace) is reached and nothing could be evicted; "
            "nothing was changed",
        {{"limit", limit}});
  }
  return full;
}

absl::Status AtIndex(const absl::Status& status, size_t index) {
  google::rpc::ErrorInfo info = ErrorInfoOf(status);
  (*info.mutable_metadata())["index"] = std::to_string(index);
  const std::string text =
      std::string(status.message()) + " (at index " + std::to_string(index) + ")";
  return WithInfo(status.code(), ReasonOf(status), text, &info);
}

std::string DetailsOf(const absl::Status& status) {
  const auto details = status.GetPayload(kDetailsUrl);
  return details.has_value() ? std::string(*details) : std::string();
}

google::rpc::ErrorInfo ErrorInfoOf(const absl::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (details.ParseFromString(DetailsOf(status)) && details.details_size() > 0) {
    details.details(0).UnpackTo(&info);
  }
  return info;
}

absl::Status Counted(absl::Status status) {
  auto reason = status.GetPayload(kReasonUrl);
  if (!reason.has_value() || reason->size() > 1) return status;
  reason->Append("+");
  status.SetPayload(kReasonUrl, *std::move(reason));
  return status;
}

bool IsCounted(const absl::Status& status) {
  const auto reason = status.GetPayload(kReasonUrl);
  return reason.has_value() && reason->size() > 1;
}

v1::ErrorReason ReasonOf(const absl::Status& status) {
  const auto reason = status.GetPayload(kReasonUrl);
  if (!reason.has_value()) return v1::ERROR_REASON_UNSPECIFIED;
  return static_cast<v1::ErrorReason>((*reason)[0]);
}

}  // namespace ferrite
