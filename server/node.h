#pragma once

// One node: the parts of a server in the order in which they depend on each other.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/admission/admission_metrics.h"
#include "server/admission/gate.h"
#include "server/engine/grpc/grpc_server.h"
#include "server/events/dispatcher.h"
#include "server/events/event_hub.h"
#include "server/events/event_metrics.h"
#include "server/handlers/admin_handlers.h"
#include "server/handlers/cache_handlers.h"
#include "server/handlers/cluster_handlers.h"
#include "server/handlers/replay_window.h"
#include "server/handlers/wire_handlers.h"
#include "server/health/health.h"
#include "server/housekeeper.h"
#include "server/live_settings.h"
#include "server/metrics/process_metrics.h"
#include "server/metrics/rpc_metrics.h"
#include "server/metrics/store_metrics.h"
#include "server/metrics/thread_counters.h"
#include "server/net/http_endpoint.h"
#include "server/net/listener.h"
#include "server/reflection/reflection.h"
#include "server/routing/router.h"
#include "server/routing/routing_metrics.h"
#include "server/settings/settings.h"
#include "server/settings_metrics.h"
#include "server/slowlog/slow_calls.h"
#include "store/store.h"

namespace ferrite {

// Not thread-safe.
class Node {
 public:
  // `settings` must outlive the node. Without a membership it is part of no cluster.
  explicit Node(const Settings& settings,
                const std::optional<Membership>& membership = std::nullopt);

  // Binds, starts and becomes ready. Fails with the address and the reason in the text.
  absl::Status Start();

  // As they were asked for, with the ports that were bound; "none" without HTTP.
  std::string grpc_address() const { return ToString(listener_.addresses()); }
  std::string http_address() const {
    return http_ == nullptr ? "none" : ToString(http_->addresses());
  }

  // Turns unready and ends in order: no new connections, then as GrpcServer::Shutdown. Call it
  // once, after a Start that succeeded.
  void Shutdown();

 private:
  void LogSettings() const;
  absl::Status StartHttp();
  absl::Status StartGrpc();
  std::vector<Rpc> AllRpcs();
  ConnectionCounts CountConnections() const;

  const Settings& settings_;
  Store store_;
  ReplayWindow replays_;
  EventHub events_;
  CounterRegistry counters_;
  Admissions admissions_;
  SlowCalls slow_calls_;
  LiveSettings live_settings_;
  Listener listener_;
  CacheHandlers cache_;
  WireHandlers wire_;
  AdminHandlers admin_;
  ClusterHandlers cluster_handlers_;
  Health health_;
  const Reflection reflection_;
  // One for each serving thread. They stay when the threads have ended, as whoever records events
  // wakes them.
  std::vector<std::unique_ptr<Dispatcher>> dispatchers_;
  // Of a cluster. It stays likewise, as connections to peers are its threads'.
  std::optional<Router> router_;
  const std::vector<Rpc> rpcs_;
  GrpcServer grpc_;
  RpcMetrics rpc_metrics_;
  StoreMetrics store_metrics_;
  AdmissionMetrics admission_metrics_;
  EventMetrics event_metrics_;
  SettingsMetrics settings_metrics_;
  ProcessMetrics process_metrics_;
  std::optional<RoutingMetrics> routing_metrics_;
  std::unique_ptr<Housekeeper> housekeeper_;
  std::unique_ptr<HttpEndpoint> http_;
};

}  // namespace ferrite
