#pragma once

// The gRPC side of a node: the queues and their threads, the services, the port, and their orderly
// end.

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/admission/gate.h"
#include "server/engine/queue_thread.h"
#include "server/events/dispatcher.h"
#include "server/handlers/admin_handlers.h"
#include "server/handlers/cache_handlers.h"
#include "server/health/health_service.h"
#include "server/metrics/thread_counters.h"
#include "server/net/listener.h"
#include "server/services.h"
#include "server/settings/settings.h"
#include "server/slowlog/slow_calls.h"
#include "server/wire/wire_handlers.h"
#include "store/store.h"

namespace ferrite {

// Not thread-safe, but for `listener().counts()`.
class RpcServer {
 public:
  // All must outlive the server.
  RpcServer(const Settings& settings, Store* store, CacheHandlers* cache, WireHandlers* wire,
            EventHub* events, CounterRegistry* counters, Admissions* admissions,
            SlowCalls* slow_calls);
  // Shutdown() must have been called if Start() succeeded.
  ~RpcServer();

  // Binds the port; fails with the address and the reason in the text.
  absl::Status Bind();
  // Starts to serve. `admin` must outlive the server.
  absl::Status Start(AdminHandlers* admin);

  // Ends in order: health turns NOT_SERVING; no new connections, no new calls; streams of frames
  // end after the frame that they are at; calls in progress may go on until they end or the grace
  // is over, and are cancelled then; the queues run dry; the threads end.
  void Shutdown(absl::Duration grace);

  const Listener& listener() const { return listener_; }

 private:
  // Configures gRPC and makes queues, acceptor and server.
  void Build();
  // Cancels what is left, streams without end such as health watches, once no call of Ferrite's own
  // is in progress.
  void CancelWhenIdle(const std::atomic<bool>& stop);

  const Settings& settings_;
  Store& store_;
  CacheHandlers& cache_;
  WireHandlers& wire_;
  EventHub& events_;
  CounterRegistry& counters_;
  Admissions& admissions_;
  SlowCalls& slow_calls_;
  Listener listener_;
  Services services_;
  HealthService health_;
  std::vector<std::unique_ptr<QueueThread>> threads_;
  // One for each thread. They stay when the threads have ended, as who records events wakes them.
  std::vector<std::unique_ptr<Dispatcher>> dispatchers_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace ferrite
