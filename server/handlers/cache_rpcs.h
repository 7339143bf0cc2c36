#pragma once

// Which RPC about the entries of one store, or the events of one hub, is served by which handler.

#include <memory>
#include <vector>

#include "server/engine/rpc.h"
#include "server/events/dispatcher.h"
#include "server/handlers/admin_handlers.h"
#include "server/handlers/cache_handlers.h"
#include "server/handlers/wire_handlers.h"
#include "store/store.h"

namespace ferrite {

// What the handlers need. All must outlive the RPCs.
struct CacheParts {
  Store* store;
  CacheHandlers* cache;
  WireHandlers* wire;
  AdminHandlers* admin;
  // One for each serving thread, in order; filled in before the first call.
  const std::vector<std::unique_ptr<Dispatcher>>* dispatchers;
};

// All of CacheService, and of AdminService Stats, Flush, FlushWithProgress and SlowLog.
std::vector<Rpc> CacheRpcs(const CacheParts& parts);

}  // namespace ferrite
