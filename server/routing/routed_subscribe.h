#pragma once

// CacheService.Subscribe in a cluster: events of channels and keys are told by the node that owns
// them. What one node has is passed on as it is, with its resume tokens; what several have is
// refused. A stream ends when a slot that it follows changes its owner, at the latest with its next
// heartbeat; it can be resumed, and the new owner says that events may be missing.

#include "server/engine/rpc.h"
#include "server/routing/router.h"

namespace ferrite {

// The handler; `plain` serves what this node owns. `router` must outlive its calls.
Handler RoutedSubscribe(Handler plain, const Router* router);

}  // namespace ferrite
