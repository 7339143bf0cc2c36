#pragma once

// The RPCs of a node of a cluster.

#include <vector>

#include "server/engine/rpc.h"
#include "server/handlers/cache_handlers.h"
#include "server/handlers/wire_handlers.h"
#include "server/routing/routed_subscribe.h"
#include "server/routing/router.h"

namespace ferrite {

// Puts routing around the handlers of calls that are about keys. All must outlive the RPCs.
std::vector<Rpc> Routed(std::vector<Rpc> plain, Store* store, const CacheHandlers* cache,
                        WireHandlers* wire, const OwnEvents& events, const Router* router);

}  // namespace ferrite
