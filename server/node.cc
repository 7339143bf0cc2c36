#include "server/node.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/byte_amount.h"
#include "base/descriptor.h"
#include "server/access/admin_place.h"
#include "server/access/checked_rpcs.h"
#include "server/access/scrapers.h"
#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/cluster_part.h"
#include "server/door.h"
#include "server/engine/grpc/grpc_peers.h"
#include "server/guard/self_test.h"
#include "server/log.h"
#include "server/namespaces/named_rpcs.h"
#include "server/net/connection_limit.h"
#include "server/net/unix_socket.h"
#include "server/routing/routed_rpcs.h"
#include "server/rpcs.h"
#include "server/settings/memory_plan.h"
#include "server/tls/http_tls.h"
#include "server/tls/tls_guest_wire.h"
#include "server/tls/tls_test_peer.h"

namespace ferrite {
namespace {

// Room for a few values of the largest size, or for a batch, beside the limit that the contract
// states.
constexpr size_t kMinReceiveBytes = size_t{4} << 20;

size_t MostBytesOfRequest(const Settings& settings) {
  return std::max<size_t>(kMinReceiveBytes, 2 * settings.max_value_bytes) + (64 << 10);
}
// What a frame has around a lone operation, its trace included, with room to spare.
constexpr size_t kAroundOperationBytes = 256;
// Over one connection, if peers allow it: nodes are taken to have the same settings.
constexpr size_t kMostStreamsToPeer = 256;

// Of one message of another node, whose values may be larger than those of this one.
size_t MostBytesOfPeers(const Settings& settings) {
  return kMaxReplyBytes + 4 * settings.max_value_bytes;
}

// A peer whose connections have an age closes them after its grace, which is taken to be ours.
constexpr std::chrono::milliseconds kLeastStreamAge(500);

std::unique_ptr<EtcdPolicy> MakeEtcdPolicy(const Settings& settings) {
  if (!settings.policy_in_etcd) return nullptr;
  return std::make_unique<EtcdPolicy>(
      EtcdPolicy::Options{.cluster = settings.cluster.name,
                          .endpoints = settings.cluster.etcd_endpoints,
                          .credentials = DialCredentials(settings.cluster.etcd_tls),
                          .file = settings.policy_file});
}

LaneLimits LimitsOfLanes(const Settings& settings) {
  return {.patience = absl::ToChronoMilliseconds(settings.cluster.lease_ttl),
          .stream_age =
              std::max(kLeastStreamAge, absl::ToChronoMilliseconds(settings.shutdown_grace / 2)),
          .operation_bytes = MostBytesOfRequest(settings) - kAroundOperationBytes,
          .streams_of_connection =
              std::min(kMostStreamsToPeer, static_cast<size_t>(settings.max_concurrent_streams)),
          .reply_bytes = RepliesOfPeersBytes(settings)};
}

GrpcServerOptions OptionsOf(const Settings& settings, const TlsFront* tls) {
  return {.threads = settings.threads,
          .max_receive_bytes = MostBytesOfRequest(settings),
          .max_buffer_bytes = GrpcBytes(settings),
          .max_concurrent_streams = static_cast<int>(
              StreamPlaces::Announced(static_cast<size_t>(settings.max_concurrent_streams))),
          .stalled_reply_timeout = settings.stalled_reply_timeout,
          .max_connection_age = settings.max_connection_age,
          .max_connection_age_grace = settings.shutdown_grace,
          .tls = tls,
          .marks_administrators = !settings.admin_listen.empty()};
}

absl::StatusOr<std::unique_ptr<AuditLog>> OpenAudit(const Settings& settings) {
  if (settings.audit_log.empty()) return nullptr;
  return AuditLog::Open(settings.audit_log);
}

}  // namespace

Node::Node(const Settings& settings, const std::optional<Membership>& membership, FrameGuard* guard,
           TlsFront* tls)
    : settings_(settings),
      guard_(guard),
      tls_(tls),
      peer_credentials_(tls == nullptr ? OutgoingTls{} : tls->certificate->ForPeers()),
      store_({.shards = settings.shards,
              .max_memory_bytes = settings.max_memory_bytes,
              .evict = settings.evict}),
      replays_(settings.request_window_bytes, &Clock::System(), ScopeOfCallers()),
      events_(&store_, settings.events),
      admissions_({.operations = settings.max_inflight_operations,
                   .bytes = settings.max_inflight_bytes,
                   .connection_percent = settings.connection_share_percent},
                  {.per_connection = static_cast<size_t>(settings.max_concurrent_streams),
                   .all = settings.max_streams,
                   .connection_percent = settings.connection_share_percent}),
      slow_calls_(settings.slowlog_threshold, settings.slowlog_entries),
      namespaces_({.default_store = &store_,
                   .counters = &counters_,
                   .slow_calls = &slow_calls_,
                   .max_value_bytes = settings.max_value_bytes,
                   .events = settings.events,
                   .request_window_bytes = settings.request_window_bytes,
                   .in_cluster = membership.has_value() || !settings.cluster.name.empty(),
                   .scope_of = ScopeOfCallers()},
                  settings.max_memory_bytes),
      live_settings_(
          settings, [this] { return namespaces_.LeastMaxMemory(); },
          {.max_memory = [this](uint64_t bytes) { namespaces_.SetMaxMemory(bytes); },
           .slowlog_threshold = [this](auto threshold) { slow_calls_.SetThreshold(threshold); },
           .log_level = SetLogLevel}),
      cache_(&store_, &replays_, &events_, &Clock::System(), settings.max_value_bytes),
      wire_(&store_, &events_, &cache_),
      admin_(
          &store_, &counters_, &slow_calls_, [this] { return listener_.counts().open; },
          [this](v1::InfoResponse* response) { live_settings_.Describe(response); }),
      driver_(MakeDriver(
          settings, peer_credentials_, &store_,
          [this](const auto& body) { return PostToAll(body); },
          [this](bool ready) {
            SetReady(ready);
            // Streams end with the right to serve, also those of a thread that sleeps.
            if (!ready) PostToAll([] {});
          })),
      cluster_handlers_(driver_.get()),
      etcd_policy_(MakeEtcdPolicy(settings)),
      audit_(OpenAudit(settings)),
      access_(settings.policy_file.empty()
                  ? std::nullopt
                  : std::optional<AccessControl>(std::in_place, &policy_, audit())),
      auth_(access_.has_value() ? &*access_ : nullptr),
      peer_token_(settings.peer_token_file),
      router_(MakeRouter(membership)),
      rpcs_(AllRpcs()),
      grpc_(OptionsOf(settings, tls), &counters_, &admissions_, &slow_calls_),
      rpc_metrics_(&counters_),
      store_metrics_(
          &store_, [this] { return replays_.memory_bytes(); },
          [this] { return CountConnections(); }, [this] { return StatsOfNamespaces(); }),
      namespace_metrics_(&namespaces_),
      admission_metrics_(&counters_, &admissions_),
      event_metrics_(&events_),
      settings_metrics_(&live_settings_),
      cluster_metrics_(driver_.get()) {
  live_settings_.TellShards(store_.shard_count());
  if (router_.has_value()) routing_metrics_.emplace(&*router_);
  if (guard_ != nullptr) {
    guard_metrics_.emplace(guard_);
    grpc_.WhenIdle([guard] { guard->EndTurn(); });
  }
  if (tls_ != nullptr) tls_metrics_.emplace(tls_);
  if (audit() != nullptr) audit_metrics_.emplace(audit());
  if (access_.has_value()) {
    const bool in_etcd = etcd_policy_ != nullptr;
    policy_file_.emplace(
        in_etcd ? etcd_policy_->path() : settings.policy_file, &policy_,
        [this] { TakePolicyChange(); },
        [this](const policy::PolicyRules& rules) { return namespaces_.Apply(rules.namespaces); },
        in_etcd ? etcd_policy_->folder() : "", settings.token_key_file);
    policy_metrics_.emplace(&*policy_file_, &policy_);
  }
}

void Node::TakePolicyChange() {
  // Threads that sleep let go of the policy before as well.
  PostToAll([this] { policy_.Now(); });
  access_->WakeStreams();
  const policy::PolicyRules& rules = policy_.Now()->policy().rules();
  TellPolicyChanged(audit(), absl::StrCat(rules.roles.size(), " roles, ", rules.bindings.size(),
                                          " bindings, ", rules.tokens.size(), " tokens"));
}

bool Node::ReopenAudit() {
  if (audit() == nullptr) return false;
  audit()->Reopen();
  return true;
}

Node::~Node() {
  // It outlives the node, and looks at its threads.
  if (guard_ != nullptr) guard_->StopTurns();
  // Its thread posts to those that serve.
  if (driver_ != nullptr) driver_->Stop();
}

std::optional<Router> Node::MakeRouter(const std::optional<Membership>& membership) const {
  const auto threads = static_cast<size_t>(settings_.threads);
  const LaneLimits limits = LimitsOfLanes(settings_);
  const ScopeOfCaller scope_of = ScopeOfCallers();
  if (membership.has_value())
    return std::make_optional<Router>(*membership, threads, limits, scope_of);
  if (driver_ == nullptr) return std::nullopt;
  const Membership own{&driver_->view(), &driver_->right()};
  return std::make_optional<Router>(own, threads, limits, scope_of);
}

ScopeOfCaller Node::ScopeOfCallers() const {
  if (settings_.policy_file.empty()) return nullptr;
  return [this](const Caller& caller) { return access_->ScopeOf(caller); };
}

std::vector<Rpc> Node::AllRpcs() {
  std::vector<Rpc> rpcs = MakeRpcs({.store = &store_,
                                    .cache = &cache_,
                                    .wire = &wire_,
                                    .admin = &admin_,
                                    .cluster = &cluster_handlers_,
                                    .settings = &live_settings_,
                                    .auth = &auth_,
                                    .policy = etcd_policy_.get(),
                                    .health = &health_,
                                    .reflection = &reflection_,
                                    .dispatchers = &dispatchers_});
  if (router_.has_value()) {
    const OwnEvents events = {.hub = &events_, .dispatchers = &dispatchers_};
    rpcs = Routed(std::move(rpcs), &store_, &cache_, &wire_, events, &*router_);
  }
  rpcs = InNamespaces(std::move(rpcs), &namespaces_, access_.has_value());
  // Around all others, so that nothing is done, here or elsewhere, that was not checked.
  if (access_.has_value()) {
    const auto subscribers = [this](const std::string* name) -> std::shared_ptr<SubscriberBudget> {
      auto of_namespace = name == nullptr ? nullptr : namespaces_.SubscribersOf(name);
      // Where there is no such namespace, whoever is to serve it says so.
      if (of_namespace != nullptr) return of_namespace;
      return {std::shared_ptr<void>(), events_.budget()};
    };
    rpcs = Checked(std::move(rpcs), &*access_, &cache_, &wire_, subscribers);
  }
  if (!settings_.admin_listen.empty()) rpcs = AdministeredElsewhere(std::move(rpcs));
  return rpcs;
}

absl::Status Node::Start() {
  LogSettings();
  if (!audit_.ok()) return audit_.status();
  if (etcd_policy_ != nullptr) {
    if (absl::Status status = etcd_policy_->CheckFile(); !status.ok()) return status;
  }
  if (policy_file_.has_value()) {
    if (absl::Status status = policy_file_->Load(); !status.ok()) return status;
  }
  if (absl::Status status = peer_token_.Load(); !status.ok()) return status;
  if (absl::Status status = Bind(); !status.ok()) return status;
  if (absl::Status status = StartHttp(); !status.ok()) return status;
  if (absl::Status status = StartGrpc(); !status.ok()) return status;
  if (tls_ != nullptr) tls_->certificate->Watch();
  housekeeper_ = std::make_unique<Housekeeper>(&store_, &replays_, &events_, &namespaces_);
  if (etcd_policy_ != nullptr) etcd_policy_->Start();
  if (policy_file_.has_value()) policy_file_->Watch();
  if (!admin_addresses_.empty())
    spdlog::info("administrators call it at {}", ToString(admin_addresses_));
  // A node of a cluster is ready as soon as it takes part.
  driver_ == nullptr ? SetReady(true) : StartCluster();
  spdlog::info(
      "Ferrite {} serves gRPC{} on {}, HTTP on {}: {} threads, {} shards, {} MiB of memory",
      FERRITE_VERSION, tls_ == nullptr ? "" : " over TLS", grpc_address(), http_address(),
      settings_.threads, store_.shard_count(), settings_.max_memory_bytes >> 20);
  return absl::OkStatus();
}

absl::Status Node::Bind() {
  const mode_t mode = settings_.unix_socket_mode;
  std::vector<Address> wanted = settings_.listen;
  if (absl::Status status = listener_.Bind(settings_.listen, mode); !status.ok()) return status;
  if (const std::optional<Address>& internal = settings_.cluster.internal_listen;
      internal.has_value()) {
    wanted.push_back(*internal);
    if (absl::Status status = listener_.Bind({*internal}, mode); !status.ok()) return status;
  }
  // Others are told of them, so none may be left out as one that the machine does not have.
  if (driver_ != nullptr && listener_.addresses().size() < wanted.size()) {
    return absl::UnavailableError(absl::StrCat(
        "a node of a cluster needs all of its addresses (--listen, --internal-listen): ",
        ToString(wanted), "; there are only ", ToString(listener_.addresses())));
  }
  if (settings_.admin_listen.empty()) return absl::OkStatus();
  const size_t others = listener_.descriptors().size();
  const size_t before = listener_.addresses().size();
  absl::Status status = listener_.Bind(settings_.admin_listen, mode);
  const std::vector<int> sockets = listener_.descriptors();
  admin_listeners_.insert(sockets.begin() + static_cast<ptrdiff_t>(others), sockets.end());
  const std::vector<Address>& bound = listener_.addresses();
  admin_addresses_.assign(bound.begin() + static_cast<ptrdiff_t>(before), bound.end());
  return status;
}

void Node::LogSettings() const {
  const Machine& machine = settings_.machine;
  spdlog::info("there are {} of memory by {}, and {} cores by {}",
               RenderBytes(machine.memory_bytes.amount), machine.memory_bytes.source,
               machine.cores.amount, machine.cores.source);
  const std::map<std::string, std::string> in_force = InForce(live_settings_.Now());
  for (const auto& [name, value] : settings_.flags) {
    const std::string& now = in_force.at(name);
    spdlog::info("setting {} = {}{}", name, value.text, now == value.text ? "" : " (" + now + ")");
  }
  for (const std::string& warning : settings_.warnings) spdlog::warn("{}", warning);
}

absl::Status Node::StartHttp() {
  if (settings_.http_listen.empty()) return absl::OkStatus();
  std::vector<const prometheus::Collectable*> metrics = {
      &rpc_metrics_,      &store_metrics_,   &admission_metrics_, &event_metrics_,
      &settings_metrics_, &process_metrics_, &cluster_metrics_,   &namespace_metrics_};
  if (routing_metrics_.has_value()) metrics.push_back(&*routing_metrics_);
  if (guard_metrics_.has_value()) metrics.push_back(&*guard_metrics_);
  if (tls_metrics_.has_value()) metrics.push_back(&*tls_metrics_);
  if (policy_metrics_.has_value()) metrics.push_back(&*policy_metrics_);
  if (audit_metrics_.has_value()) metrics.push_back(&*audit_metrics_);
  HttpOptions options{.addresses = settings_.http_listen,
                      .unix_mode = settings_.unix_socket_mode,
                      .most_connections = PlacesKept().http,
                      .tls = std::nullopt,
                      .may_scrape = {}};
  if (tls_ != nullptr) options.tls = HttpTlsOf(tls_->certificate.get());
  if (access_.has_value()) {
    options.may_scrape = [scrapers = std::make_shared<Scrapers>(&*access_, &counters_)](
                             const auto& authorization) { return scrapers->Admit(authorization); };
  }
  auto http = HttpEndpoint::Start(std::move(options), metrics);
  if (!http.ok()) return http.status();
  http_ = *std::move(http);
  return absl::OkStatus();
}

absl::Status Node::StartGrpc() {
  if (absl::Status status = RaiseDescriptorLimit(); !status.ok()) return status;
  if (absl::Status status = grpc_.Build(rpcs_); !status.ok()) return status;
  namespaces_.Connect({grpc_.threads().begin(), grpc_.threads().end()});
  for (QueueThread* thread : grpc_.threads()) {
    Dispatcher* const dispatcher =
        dispatchers_.emplace_back(std::make_unique<Dispatcher>(thread, &events_)).get();
    events_.AddDispatcher(dispatcher);
    if (!router_.has_value()) {
      thread->BetweenSteps([this, dispatcher, index = thread->index()] {
        dispatcher->RunIfWoken();
        namespaces_.RunDispatchers(index);
      });
      continue;
    }
    ThreadRouting* const routing = router_->of(thread->index());
    routing->ConnectBy(std::make_unique<GrpcPeers>(thread, MostBytesOfPeers(settings_),
                                                   grpc_.quota(), peer_credentials_,
                                                   [this] { return peer_token_.Authorization(); }),
                       thread->timers(), &admissions_.budget);
    thread->BetweenSteps([dispatcher, routing] {
      dispatcher->RunIfWoken();
      routing->Flush();
    });
    thread->WhenClosed([routing] { routing->Close(); });
  }
  grpc_.Start();
  if (guard_ != nullptr) guard_->StartTurns([this] { return grpc_.taken_up(); });
  health_.SetKeysServed(driver_ == nullptr);
  health_.SetServing(true);
  const size_t connections = ConnectionLimit(settings_.max_connections);
  live_settings_.LimitConnections(connections);
  const KeptPlaces places = PlacesKept();
  DoorPolicy policy = PolicyOfDoor(connections, settings_.max_connections, &health_, &counters_);
  policy.local_guests = places.local_guests;
  policy.remote_guests = places.remote_guests;
  if (tls_ != nullptr) {
    auto wires = std::make_shared<TlsGuestWires>(tls_);
    policy.wire = [wires, plain = policy.wire](int descriptor) {
      return HasFile(descriptor) ? plain(descriptor) : wires->Make(descriptor);
    };
  }
  absl::Status status = TestTheGuard();
  if (status.ok()) {
    status = listener_.Start(
        {.connections = connections, .by_descriptors = connections < settings_.max_connections},
        std::move(policy), [this](int listener, int descriptor) { Take(listener, descriptor); });
  }
  if (!status.ok()) Shutdown();
  return status;
}

absl::Status Node::TestTheGuard() {
  if (guard_ == nullptr) return absl::OkStatus();
  constexpr int kNoListener = -1;
  absl::Status status = TestGuard(
      guard_,
      {.connect = [](int descriptor) { return std::make_unique<PlainTestPeer>(descriptor); },
       .handoff = [this](int descriptor) { grpc_.Handoff(kNoListener, descriptor); }});
  if (status.ok() && tls_ != nullptr) {
    status = TestGuard(
        guard_, {.over_tls = true, .connect = MakeTlsTestPeer, .handoff = [this](int descriptor) {
                   const Handshakes::Handoff handoff(nullptr, descriptor);
                   grpc_.HandoffOwnTls(descriptor);
                 }});
  }
  if (status.ok() || settings_.frame_guard != "warn") return status;
  spdlog::warn("{}", std::string(status.message()));
  return absl::OkStatus();
}

void Node::Take(int listener, int descriptor) {
  if (tls_ != nullptr && !HasFile(listener)) return TakeTls(listener, descriptor);
  if (guard_ != nullptr && !guard_->Watch(descriptor)) {
    Descriptor(descriptor).Close();
    return;
  }
  grpc_.Handoff(listener, descriptor, admin_listeners_.contains(listener));
}

void Node::TakeTls(int listener, int descriptor) {
  if (guard_ != nullptr && !guard_->Watch(descriptor, /*over_tls=*/true)) {
    Descriptor(descriptor).Close();
    return;
  }
  const Handshakes::Handoff handoff(&tls_->handshakes, descriptor);
  grpc_.HandoffTls(listener, descriptor, admin_listeners_.contains(listener));
}

ConnectionCounts Node::CountConnections() const {
  ConnectionCounts counts = listener_.counts();
  if (http_ != nullptr) {
    const HttpServer& server = http_->server();
    counts.over_descriptors += server.loop().no_descriptor();
    counts.accept_errors += server.loop().failed() + server.not_taken();
    counts.http_displaced = server.displaced();
    counts.http_timed_out = server.timed_out();
  }
  return counts;
}

std::vector<NamedStats> Node::StatsOfNamespaces() const {
  std::vector<NamedStats> stats;
  for (const auto& space : namespaces_.All()) {
    stats.push_back({.name = space->name(),
                     .stats = space->store()->Stats(),
                     .request_window_bytes = space->replays()->memory_bytes()});
  }
  return stats;
}

void Node::StartCluster() {
  std::vector<Address> bound = listener_.addresses();
  bound.resize(bound.size() - admin_addresses_.size());
  const ToldAddresses told = AddressesToTell(settings_, bound);
  spdlog::info("node {} of cluster {}: others are told to reach it at {}{}", driver_->node_id(),
               driver_->cluster(), told.clients,
               told.nodes == told.clients ? "" : ", nodes at " + told.nodes);
  // So that no thread sleeps on calls to a node that is none any more.
  driver_->AddListener([this] { PostToAll([] {}); });
  driver_->Start(told.clients, told.nodes);
}

std::string Node::grpc_address() const {
  std::vector<Address> addresses = listener_.addresses();
  addresses.resize(std::min(addresses.size(), settings_.listen.size()));
  return ToString(addresses);
}

size_t Node::PostToAll(const std::function<void()>& body) {
  for (QueueThread* thread : grpc_.threads()) thread->Post(body);
  return grpc_.threads().size();
}

void Node::SetReady(bool ready) {
  MutexLock lock(&ready_mutex_);
  if (ends_) return;
  if (http_ != nullptr) http_->set_ready(ready);
  health_.SetKeysServed(ready);
}

absl::Duration Node::HandOver() {
  const absl::Duration grace = settings_.shutdown_grace;
  if (driver_ == nullptr) return grace;
  const auto start = std::chrono::steady_clock::now();
  if (!driver_->GiveAway(start + absl::ToChronoNanoseconds(grace)))
    spdlog::warn("node {}: its slots were not given to others before it ended", driver_->node_id());
  const absl::Duration spent = absl::FromChrono(std::chrono::steady_clock::now() - start);
  return std::max(grace - spent, std::min(grace, absl::Seconds(1)));
}

void Node::Shutdown() {
  SetReady(false);
  {
    MutexLock lock(&ready_mutex_);
    ends_ = true;
  }
  health_.SetServing(false);
  const absl::Duration grace = HandOver();
  listener_.Stop();
  // Its thread wakes calls.
  if (policy_file_.has_value()) policy_file_->Stop();
  if (etcd_policy_ != nullptr) etcd_policy_->Stop();
  grpc_.Shutdown(
      grace,
      MakeError(absl::StatusCode::kUnavailable, v1::SHUTTING_DOWN,
                "the server shuts down; frames without a reply were not executed"),
      [this](size_t thread) {
        dispatchers_[thread]->Close();
        namespaces_.CloseDispatchers(thread);
      },
      [this] { return listener_.EndConnections(); });
  if (driver_ != nullptr) driver_->Leave();
}

}  // namespace ferrite
