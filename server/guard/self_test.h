#pragma once

#include <functional>

#include "absl/status/status.h"
#include "server/guard/frame_guard.h"

namespace ferrite {

// Whether the guard sees what the server reads, and what it closes: has the server take a
// connection, by `handoff`, and sends it a frame that the guard must have counted. UNAVAILABLE if
// it has not, which means that gRPC reads by other means than those that were expected. Takes as
// long as the server needs to answer.
absl::Status TestGuard(FrameGuard* guard, const std::function<void(int descriptor)>& handoff);

}  // namespace ferrite
