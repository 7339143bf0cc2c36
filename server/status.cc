#include "server/status.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace ferrite {
namespace {

constexpr char kPrefix[] = "ERROR_REASON_";

}  // namespace

grpc::Status MakeError(grpc::StatusCode code, v1::ErrorReason reason, const std::string& message,
                       std::initializer_list<std::pair<std::string_view, std::string>> facts) {
  google::rpc::ErrorInfo info;
  info.set_reason(v1::ErrorReason_Name(reason).substr(sizeof(kPrefix) - 1));
  info.set_domain("ferrite");
  for (const auto& [name, value] : facts) (*info.mutable_metadata())[std::string(name)] = value;
  google::rpc::Status details;
  details.set_code(code);
  details.set_message(message);
  details.add_details()->PackFrom(info);
  return grpc::Status(code, message, details.SerializeAsString());
}

grpc::Status InvalidArgument(
    v1::ErrorReason reason, const std::string& message,
    std::initializer_list<std::pair<std::string_view, std::string>> facts) {
  return MakeError(grpc::StatusCode::INVALID_ARGUMENT, reason, message, facts);
}

grpc::Status Malformed(const std::string& type) {
  return InvalidArgument(v1::ERROR_REASON_MALFORMED,
                         "what was sent is not a message of type ferrite.v1." + type);
}

grpc::Status MemoryFull() {
  return MakeError(grpc::StatusCode::RESOURCE_EXHAUSTED, v1::ERROR_REASON_MEMORY_FULL,
                   "the memory limit (--max-memory) is reached and nothing could be evicted; "
                   "nothing was changed");
}

v1::OperationError ToOperationError(const grpc::Status& status) {
  v1::OperationError error;
  error.set_code(status.error_code());
  error.set_message(status.error_message());
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  v1::ErrorReason reason;
  if (details.ParseFromString(status.error_details()) && details.details_size() > 0 &&
      details.details(0).UnpackTo(&info) &&
      v1::ErrorReason_Parse(kPrefix + info.reason(), &reason)) {
    error.set_reason(reason);
  }
  return error;
}

}  // namespace ferrite
