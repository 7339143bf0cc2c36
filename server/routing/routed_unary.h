#pragma once

// Unary calls about one key in a cluster.

#include "server/engine/rpc.h"
#include "server/routing/router.h"

namespace ferrite {

// A handler that has `plain` answer what is served here, forwards what is not, and refuses the
// rest. `field` is that of Operation for such requests. `router` must outlive its calls.
Handler RoutedUnary(Handler plain, int field, const Router* router);

}  // namespace ferrite
