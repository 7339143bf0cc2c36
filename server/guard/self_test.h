#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "server/guard/frame_guard.h"
#include "server/guard/test_peer.h"

namespace ferrite {

// A way in which clients connect.
struct TestedWay {
  bool over_tls = false;
  // Speaks as they do, over a descriptor that must outlive it.
  std::function<std::unique_ptr<TestPeer>(int descriptor)> connect;
  // Has the server take the other end.
  std::function<void(int descriptor)> handoff;
};

// Whether the guard sees what the server reads, and what it closes: has the server take a
// connection, and sends it a frame that the guard must have counted. UNAVAILABLE if it has not,
// which means that gRPC reads by other means than those that were expected. Takes as long as the
// server needs to answer.
absl::Status TestGuard(FrameGuard* guard, const TestedWay& way);

}  // namespace ferrite
