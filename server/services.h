#pragma once

// Which RPC is served by which handler: one line each.

#include <memory>
#include <vector>

#include "ferrite/v1/admin.grpc.pb.h"
#include "ferrite/v1/cache.grpc.pb.h"
#include "server/engine/queue_thread.h"
#include "server/handlers/admin_handlers.h"
#include "server/handlers/cache_handlers.h"
#include "store/store.h"

namespace ferrite {

// The services and, for each queue, the methods that wait for calls on it. Must outlive the queues.
class Services {
 public:
  Services();
  ~Services();

  std::vector<grpc::Service*> all() { return {&cache_service_, &admin_service_}; }

  // Serves every method on the queue of `thread`. The server must be running, the thread not yet.
  void ServeOn(QueueThread* thread, Store* store, CacheHandlers* cache, AdminHandlers* admin);

 private:
  class AnyMethod;
  template <typename Method>
  class MethodHolder;

  v1::CacheService::AsyncService cache_service_;
  v1::AdminService::AsyncService admin_service_;
  std::vector<std::unique_ptr<AnyMethod>> methods_;
};

}  // namespace ferrite
