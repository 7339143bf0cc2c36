#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace ferrite {

// A status as gRPC sends it, with its details.
grpc::Status ToGrpc(const absl::Status& status);
// And as it came.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace ferrite
