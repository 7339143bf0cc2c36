#include "server/rpcs.h"

#include "server/engine/joined_request.h"
#include "server/handlers/flush_handler.h"
#include "server/handlers/large_writes.h"
#include "server/handlers/scan_handler.h"
#include "server/handlers/typed_handler.h"

namespace ferrite {
namespace {

// A handler that reads and writes the bytes of the wire itself.
Handler OfBytes(WireHandlers* wire,
                absl::Status (WireHandlers::*handler)(const Request&, ReplyWriter*)) {
  return [wire, handler](Turn* turn) { return (wire->*handler)(turn->request(), turn->reply()); };
}

}  // namespace

std::vector<Rpc> MakeRpcs(const RpcParts& parts) {
  Store* const store = parts.store;
  CacheHandlers* const cache = parts.cache;
  WireHandlers* const wire = parts.wire;
  AdminHandlers* const admin = parts.admin;
  ClusterHandlers* const cluster = parts.cluster;
  LiveSettings* const settings = parts.settings;
  AuthHandlers* const auth = parts.auth;
  Health* const health = parts.health;
  const auto* const dispatchers = parts.dispatchers;
  const Handler reflect = [reflection = parts.reflection](Turn* turn) {
    return reflection->Reflect(turn);
  };
  using Cache = CacheHandlers;
  using Admin = AdminHandlers;
  return {
      {Method::kGet, Shape::kUnary, OfBytes(wire, &WireHandlers::Get)},
      {Method::kSet, Shape::kUnary,
       [store, cache](Turn* turn) { return AnswerSet(store, cache, turn); }},
      {Method::kDelete, Shape::kUnary, TypedHandler(cache, &Cache::Delete)},
      {Method::kTouch, Shape::kUnary, TypedHandler(cache, &Cache::Touch)},
      {Method::kExists, Shape::kUnary, TypedHandler(cache, &Cache::Exists)},
      {Method::kIncr, Shape::kUnary, TypedHandler(cache, &Cache::Incr)},
      {Method::kMGet, Shape::kUnary, OfBytes(wire, &WireHandlers::MGet)},
      {Method::kMSet, Shape::kUnary,
       [store, cache](Turn* turn) { return AnswerMSet(store, cache, turn); }},
      {Method::kMDelete, Shape::kUnary, TypedHandler(cache, &Cache::MDelete)},
      {Method::kPipeline, Shape::kFrames,
       OfJoinedRequests([store, wire](Turn* turn) { return AnswerFrame(store, wire, turn); })},
      {Method::kScan, Shape::kStream, [store](Turn* turn) { return OpenScan(store, turn); }},
      {Method::kPublish, Shape::kUnary, TypedHandler(cache, &Cache::Publish)},
      {Method::kSubscribe, Shape::kFeed,
       [dispatchers](Turn* turn) { return dispatchers->at(turn->thread_index())->Open(turn); }},

      {Method::kInfo, Shape::kUnary, TypedHandler(admin, &Admin::Info)},
      {Method::kStats, Shape::kUnary, TypedHandler(admin, &Admin::Stats)},
      {Method::kFlush, Shape::kUnary, [store](Turn* turn) { return OpenFlush(store, turn); }},
      {Method::kFlushWithProgress, Shape::kStream,
       [store](Turn* turn) { return OpenFlushWithProgress(store, turn); }},
      {Method::kSlowLog, Shape::kUnary, TypedHandler(admin, &Admin::SlowLog)},
      {Method::kResetSlowLog, Shape::kUnary, TypedHandler(admin, &Admin::ResetSlowLog)},
      {Method::kGetConfig, Shape::kUnary, TypedHandler(settings, &LiveSettings::GetConfig)},
      {Method::kSetConfig, Shape::kUnary, TypedHandler(settings, &LiveSettings::SetConfig)},
      {Method::kWhoAmI, Shape::kUnary, TypedHandler(auth, &AuthHandlers::WhoAmI)},
      {Method::kCan, Shape::kUnary, TypedHandler(auth, &AuthHandlers::Can)},

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
}

}  // namespace ferrite
