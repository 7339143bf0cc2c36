#pragma once

// Frames of Pipeline in a cluster.

#include "server/engine/rpc.h"
#include "server/routing/router.h"

namespace ferrite {

// A handler that has `plain` answer frames all of whose operations are served here, and has those
// of others executed where they belong. `router` must outlive its calls.
Handler RoutedFrames(Handler plain, const Router* router);

}  // namespace ferrite
