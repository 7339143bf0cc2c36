#pragma once

// Batches of which not every key is allowed: the others are executed, and each has its own outcome.

#include "server/access/access_control.h"
#include "server/engine/rpc.h"
#include "server/handlers/cache_handlers.h"

namespace ferrite {

// For kMGet, kMSet, kMDelete and kExists; of requests in one piece.
Handler CheckedBatch(Method method, Handler plain, const AccessControl* access,
                     const CacheHandlers* cache);

}  // namespace ferrite
