#include "server/handlers/cache_rpcs.h"

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

std::vector<Rpc> CacheRpcs(const CacheParts& parts) {
  Store* const store = parts.store;
  CacheHandlers* const cache = parts.cache;
  WireHandlers* const wire = parts.wire;
  AdminHandlers* const admin = parts.admin;
  const auto* const dispatchers = parts.dispatchers;
  using Cache = CacheHandlers;
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

      {Method::kStats, Shape::kUnary, TypedHandler(admin, &AdminHandlers::Stats)},
      {Method::kFlush, Shape::kUnary, [store](Turn* turn) { return OpenFlush(store, turn); }},
      {Method::kFlushWithProgress, Shape::kStream,
       [store](Turn* turn) { return OpenFlushWithProgress(store, turn); }},
      {Method::kSlowLog, Shape::kUnary, TypedHandler(admin, &AdminHandlers::SlowLog)},
  };
}

}  // namespace ferrite
