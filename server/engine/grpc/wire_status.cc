#include "server/engine/grpc/wire_status.h"

#include <string>

#include "server/call/status.h"

namespace ferrite {

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      DetailsOf(status));
}

absl::Status FromGrpc(const grpc::Status& status) {
  return ErrorFromWire(static_cast<absl::StatusCode>(status.error_code()), status.error_message(),
                       status.error_details());
}

}  // namespace ferrite
