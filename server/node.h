#pragma once

// One node: the parts of a server in the order in which they depend on each other.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "server/admission/gate.h"
#include "server/events/event_hub.h"
#include "server/handlers/admin_handlers.h"
#include "server/handlers/cache_handlers.h"
#include "server/handlers/replay_window.h"
#include "server/housekeeper.h"
#include "server/metrics/admission_metrics.h"
#include "server/metrics/event_metrics.h"
#include "server/metrics/process_metrics.h"
#include "server/metrics/rpc_metrics.h"
#include "server/metrics/store_metrics.h"
#include "server/metrics/thread_counters.h"
#include "server/net/http_endpoint.h"
#include "server/rpc_server.h"
#include "server/settings/settings.h"
#include "server/slowlog/slow_calls.h"
#include "server/wire/wire_handlers.h"
#include "store/store.h"

namespace ferrite {

// Not thread-safe.
class Node {
 public:
  // `settings` must outlive the node.
  explicit Node(const Settings& settings);

  // Binds, starts and becomes ready. Fails with the address and the reason in the text.
  absl::Status Start();

  // HOST:PORT with the ports that were bound; "none" without HTTP.
  std::string grpc_address() const { return rpc_.listener().address().ToString(); }
  std::string http_address() const {
    return http_ == nullptr ? "none" : http_->address().ToString();
  }

  // Turns unready and ends in order (RpcServer::Shutdown). Call it once, after a Start that
  // succeeded.
  void Shutdown();

 private:
  const Settings& settings_;
  Store store_;
  ReplayWindow replays_;
  EventHub events_;
  CounterRegistry counters_;
  Admissions admissions_;
  SlowCalls slow_calls_;
  CacheHandlers cache_;
  WireHandlers wire_;
  RpcServer rpc_;
  AdminHandlers admin_;
  RpcMetrics rpc_metrics_;
  StoreMetrics store_metrics_;
  AdmissionMetrics admission_metrics_;
  EventMetrics event_metrics_;
  ProcessMetrics process_metrics_;
  std::unique_ptr<Housekeeper> housekeeper_;
  std::unique_ptr<HttpEndpoint> http_;
};

}  // namespace ferrite
