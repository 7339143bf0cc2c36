#include "server/rpcs.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "server/handlers/cache_rpcs.h"
#include "server/handlers/typed_handler.h"
#include "server/policy_rpcs.h"

namespace ferrite {

std::vector<Rpc> MakeRpcs(const RpcParts& parts) {
  AdminHandlers* const admin = parts.admin;
  ClusterHandlers* const cluster = parts.cluster;
  LiveSettings* const settings = parts.settings;
  AuthHandlers* const auth = parts.auth;
  EtcdPolicy* const policy = parts.policy;
  Health* const health = parts.health;
  const Handler reflect = [reflection = parts.reflection](Turn* turn) {
    return reflection->Reflect(turn);
  };
  using Admin = AdminHandlers;
  std::vector<Rpc> rpcs = CacheRpcs({.store = parts.store,
                                     .cache = parts.cache,
                                     .wire = parts.wire,
                                     .admin = admin,
                                     .dispatchers = parts.dispatchers});
  std::vector<Rpc> others = {
      {Method::kInfo, Shape::kUnary, TypedHandler(admin, &Admin::Info)},
      {Method::kResetSlowLog, Shape::kUnary, TypedHandler(admin, &Admin::ResetSlowLog)},
      {Method::kGetConfig, Shape::kUnary, TypedHandler(settings, &LiveSettings::GetConfig)},
      {Method::kSetConfig, Shape::kUnary, TypedHandler(settings, &LiveSettings::SetConfig)},
      {Method::kWhoAmI, Shape::kUnary, TypedHandler(auth, &AuthHandlers::WhoAmI)},
      {Method::kCan, Shape::kUnary, TypedHandler(auth, &AuthHandlers::Can)},
      {Method::kPutPolicy, Shape::kUnary,
       [policy](Turn* turn) { return OpenPutPolicy(policy, turn); }},
      {Method::kGetPolicy, Shape::kUnary, [policy](Turn* turn) { return GetPolicy(policy, turn); }},
      {Method::kIssueToken, Shape::kUnary, TypedHandler(auth, &AuthHandlers::IssueToken)},

      {Method::kGetTopology, Shape::kUnary,
       [cluster](Turn* turn) { return cluster->GetTopology(turn); }},
      {Method::kWatchTopology, Shape::kFeed,
       [cluster](Turn* turn) { return cluster->WatchTopology(turn); }},
      {Method::kDrain, Shape::kUnary, TypedHandler(cluster, &ClusterHandlers::Drain)},
      {Method::kRebalance, Shape::kUnary, TypedHandler(cluster, &ClusterHandlers::Rebalance)},
      {Method::kHello, Shape::kUnary, TypedHandler(cluster, &ClusterHandlers::Hello)},

      {Method::kHealthCheck, Shape::kUnary, TypedHandler(health, &Health::Check)},
      {Method::kHealthWatch, Shape::kFeed, [health](Turn* turn) { return health->Watch(turn); }},

      {Method::kReflect, Shape::kFrames, reflect},
      {Method::kReflectAlpha, Shape::kFrames, reflect},
  };
  std::move(others.begin(), others.end(), std::back_inserter(rpcs));
  return rpcs;
}

}  // namespace ferrite
