#pragma once

// An error as the outcome of one operation of a frame or of a batch.

#include "absl/status/status.h"

#include "ferrite/v1/cache.pb.h"

namespace ferrite {

// Says what the status, the details and the trailing metadata of a call of its own would have said.
v1::OperationError ToOperationError(const absl::Status& status);

}  // namespace ferrite
