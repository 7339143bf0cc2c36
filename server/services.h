#pragma once

// Which RPC is served by which handler: one line each.

#include <memory>
#include <unordered_map>
#include <vector>

#include "ferrite/v1/admin.grpc.pb.h"
#include "ferrite/v1/cache.grpc.pb.h"
#include "server/engine/queue_thread.h"
#include "server/events/dispatcher.h"
#include "server/handlers/admin_handlers.h"
#include "server/handlers/cache_handlers.h"
#include "server/wire/wire_handlers.h"
#include "store/store.h"

namespace ferrite {

// The services and, for each queue, the methods that wait for calls on it. Must outlive the queues.
class Services {
 public:
  Services();
  ~Services();

  std::vector<grpc::Service*> all() { return {&cache_service_, &admin_service_}; }

  // Serves every method on the queue of `thread`. The server must be running, the thread not yet.
  void ServeOn(QueueThread* thread, Store* store, CacheHandlers* cache, WireHandlers* wire,
               AdminHandlers* admin, Dispatcher* dispatcher);

  // Ends the streams on the queue of `thread` that would not end by themselves, telling their
  // clients that the server shuts down. Call it on that thread.
  void DrainOn(QueueThread* thread);

 private:
  // Typed methods, but for those of which WireHandlers makes the bytes itself.
  using CacheMethods = v1::CacheService::WithRawMethod_Get<v1::CacheService::WithRawMethod_MGet<
      v1::CacheService::WithRawMethod_Pipeline<v1::CacheService::WithAsyncMethod_Set<
          v1::CacheService::WithAsyncMethod_Delete<v1::CacheService::WithAsyncMethod_Touch<
              v1::CacheService::WithAsyncMethod_Exists<v1::CacheService::WithAsyncMethod_Incr<
                  v1::CacheService::WithAsyncMethod_MSet<v1::CacheService::WithAsyncMethod_MDelete<
                      v1::CacheService::WithAsyncMethod_Scan<
                          v1::CacheService::WithAsyncMethod_Publish<
                              v1::CacheService::WithRawMethod_Subscribe<
                                  v1::CacheService::Service>>>>>>>>>>>>>;

  class AnyMethod;
  template <typename Method>
  class MethodHolder;

  CacheMethods cache_service_;
  v1::AdminService::AsyncService admin_service_;
  std::unordered_map<QueueThread*, std::vector<std::unique_ptr<AnyMethod>>> methods_;
};

}  // namespace ferrite
