#pragma once

// MGet, MSet, MDelete and Exists in a cluster.

#include <memory>

#include "server/engine/rpc.h"
#include "server/handlers/cache_handlers.h"
#include "server/routing/router.h"

namespace ferrite {

// Whether a method is one of them.
bool IsBatch(Method method);

// A handler that has `plain` answer batches all of whose keys are served here, and has those of
// others executed where they belong. `frames` answers frames of what is served here; `cache` checks
// what an MSet refuses as a whole. `cache` and `router` must outlive its calls.
Handler RoutedBatch(Method method, Handler plain, std::shared_ptr<const Handler> frames,
                    const CacheHandlers* cache, const Router* router);

}  // namespace ferrite
