#pragma once

// AdminService.Flush and FlushWithProgress: delete everything in short steps, between which the
// thread serves other calls.

#include "absl/status/status.h"
#include "server/engine/rpc.h"
#include "store/store.h"

namespace ferrite {

// The handlers. `store` must outlive their calls.
absl::Status OpenFlush(Store* store, Turn* turn);
absl::Status OpenFlushWithProgress(Store* store, Turn* turn);

}  // namespace ferrite
