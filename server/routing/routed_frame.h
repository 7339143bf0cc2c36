#pragma once

// Frames of Pipeline in a cluster.

#include "server/engine/rpc.h"
#include "server/handlers/wire_handlers.h"
#include "server/routing/router.h"

namespace ferrite {

// A handler that has `wire` answer frames all of whose operations are served here, and has those of
// others executed where they belong; `plain` answers what is served here of the latter. `wire` and
// `router` must outlive its calls.
Handler RoutedFrames(Handler plain, WireHandlers* wire, const Router* router);

}  // namespace ferrite
