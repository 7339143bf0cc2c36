#pragma once

// Which RPC is served by which handler: one line each.

#include <memory>
#include <vector>

#include "server/access/auth_handlers.h"
#include "server/engine/rpc.h"
#include "server/etcd_policy.h"
#include "server/events/dispatcher.h"
#include "server/handlers/admin_handlers.h"
#include "server/handlers/cache_handlers.h"
#include "server/handlers/cluster_handlers.h"
#include "server/handlers/wire_handlers.h"
#include "server/health/health.h"
#include "server/live_settings.h"
#include "server/reflection/reflection.h"
#include "store/store.h"

namespace ferrite {

// What the handlers need. All must outlive the RPCs.
struct RpcParts {
  Store* store;
  CacheHandlers* cache;
  WireHandlers* wire;
  AdminHandlers* admin;
  ClusterHandlers* cluster;
  LiveSettings* settings;
  AuthHandlers* auth;
  EtcdPolicy* policy;  // null: it is not in etcd
  Health* health;
  const Reflection* reflection;
  // One for each serving thread, in order; filled in before the first call.
  const std::vector<std::unique_ptr<Dispatcher>>* dispatchers;
};

std::vector<Rpc> MakeRpcs(const RpcParts& parts);

}  // namespace ferrite
