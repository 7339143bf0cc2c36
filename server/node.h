#pragma once

// One node: the parts of a server in the order in which they depend on each other.

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "server/access/access_control.h"
#include "server/access/auth_handlers.h"
#include "server/admission/admission_metrics.h"
#include "server/admission/gate.h"
#include "server/audit/audit_log.h"
#include "server/audit/audit_metrics.h"
#include "server/auth/peer_token.h"
#include "server/auth/policy_file.h"
#include "server/auth/policy_metrics.h"
#include "server/auth/published_policy.h"
#include "server/cluster/driver/driver.h"
#include "server/cluster_metrics.h"
#include "server/dial/dial_credentials.h"
#include "server/engine/grpc/grpc_server.h"
#include "server/etcd_policy.h"
#include "server/events/dispatcher.h"
#include "server/events/event_hub.h"
#include "server/events/event_metrics.h"
#include "server/guard/frame_guard.h"
#include "server/guard/guard_metrics.h"
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
#include "server/namespaces/namespace_metrics.h"
#include "server/namespaces/namespaces.h"
#include "server/net/http_endpoint.h"
#include "server/net/listener.h"
#include "server/reflection/reflection.h"
#include "server/routing/router.h"
#include "server/routing/routing_metrics.h"
#include "server/settings/settings.h"
#include "server/settings_metrics.h"
#include "server/slowlog/slow_calls.h"
#include "server/tls/tls_front.h"
#include "server/tls/tls_metrics.h"
#include "store/store.h"

namespace ferrite {

// Not thread-safe.
class Node {
 public:
  // `settings`, `guard` and `tls` must outlive the node. Tests give it a membership of their own
  // making; otherwise the settings say whether it is part of a cluster. Without a guard, frames are
  // not counted; without `tls`, no connection is encrypted.
  explicit Node(const Settings& settings,
                const std::optional<Membership>& membership = std::nullopt,
                FrameGuard* guard = nullptr, TlsFront* tls = nullptr);
  ~Node();

  // Binds, starts and becomes ready. Fails with the address and the reason in the text.
  absl::Status Start();

  // As they were asked for, with the ports that were bound; "none" without HTTP. Not the one for
  // other nodes.
  std::string grpc_address() const;
  std::string http_address() const {
    return http_ == nullptr ? "none" : ToString(http_->addresses());
  }

  // Has the audit log opened anew, if there is one.
  bool ReopenAudit();

  // Turns unready and ends in order: no new connections, then as GrpcServer::Shutdown. Call it
  // once, after a Start that succeeded.
  void Shutdown();

 private:
  absl::Status Bind();
  void LogSettings() const;
  absl::Status StartHttp();
  absl::Status StartGrpc();
  // Whether the guard works, or need not.
  absl::Status TestTheGuard();
  // Has gRPC take over a connection, under guard.
  void Take(int listener, int descriptor);
  void TakeTls(int listener, int descriptor);
  std::optional<Router> MakeRouter(const std::optional<Membership>& membership) const;
  // Used while calls are served.
  ScopeOfCaller ScopeOfCallers() const;
  std::vector<Rpc> AllRpcs();
  AuditLog* audit() const { return audit_.ok() ? audit_->get() : nullptr; }
  void TakePolicyChange();
  void StartCluster();
  // Calls `body` on each serving thread, soon; returns how many there are.
  size_t PostToAll(const std::function<void()>& body);
  // A planned end: others get the slots while this node still answers, and forwards what comes
  // late. Returns what is left of the grace.
  absl::Duration HandOver();
  // Tells health checks and probes.
  void SetReady(bool ready);
  ConnectionCounts CountConnections() const;
  // Of those beside default.
  std::vector<NamedStats> StatsOfNamespaces() const;

  const Settings& settings_;
  FrameGuard* const guard_;
  TlsFront* const tls_;
  const DialCredentials peer_credentials_;
  Store store_;
  ReplayWindow replays_;
  EventHub events_;
  CounterRegistry counters_;
  Admissions admissions_;
  SlowCalls slow_calls_;
  Namespaces namespaces_;
  LiveSettings live_settings_;
  Listener listener_;
  // Of --admin-listen, once they are bound.
  std::set<int> admin_listeners_;
  std::vector<Address> admin_addresses_;
  CacheHandlers cache_;
  WireHandlers wire_;
  AdminHandlers admin_;
  Health health_;
  // Null: the node is part of no cluster.
  std::unique_ptr<cluster::Driver> driver_;
  ClusterHandlers cluster_handlers_;
  const Reflection reflection_;
  PublishedPolicy policy_;
  const std::unique_ptr<EtcdPolicy> etcd_policy_;  // null: the policy is not in etcd
  // Null: there is none. Not OK: the node does not start.
  const absl::StatusOr<std::unique_ptr<AuditLog>> audit_;
  // Absent: there is no policy, and nothing is checked.
  std::optional<AccessControl> access_;
  AuthHandlers auth_;
  PeerToken peer_token_;
  // One for each serving thread. They stay when the threads have ended, as whoever records events
  // wakes them.
  std::vector<std::unique_ptr<Dispatcher>> dispatchers_;
  // Of a cluster. It stays likewise, as connections to peers are its threads'.
  std::optional<Router> router_;
  const std::vector<Rpc> rpcs_;
  GrpcServer grpc_;
  RpcMetrics rpc_metrics_;
  StoreMetrics store_metrics_;
  NamespaceMetrics namespace_metrics_;
  AdmissionMetrics admission_metrics_;
  EventMetrics event_metrics_;
  SettingsMetrics settings_metrics_;
  ProcessMetrics process_metrics_;
  std::optional<RoutingMetrics> routing_metrics_;
  ClusterMetrics cluster_metrics_;
  std::optional<GuardMetrics> guard_metrics_;
  std::optional<TlsMetrics> tls_metrics_;
  std::optional<PolicyFile> policy_file_;
  std::optional<PolicyMetrics> policy_metrics_;
  std::optional<AuditMetrics> audit_metrics_;
  std::unique_ptr<Housekeeper> housekeeper_;
  std::unique_ptr<HttpEndpoint> http_;
  Mutex ready_mutex_;
  bool ends_ ABSL_GUARDED_BY(ready_mutex_) = false;  // so it never is ready again
};

}  // namespace ferrite
