#include "server/node.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/byte_amount.h"
#include "server/call/status.h"
#include "server/door.h"
#include "server/engine/grpc/grpc_peers.h"
#include "server/log.h"
#include "server/net/connection_limit.h"
#include "server/routing/routed_rpcs.h"
#include "server/rpcs.h"
#include "server/settings/memory_plan.h"

namespace ferrite {
namespace {

// Room for a few values of the largest size, or for a batch, beside the limit that the contract
// states.
constexpr size_t kMinReceiveBytes = size_t{4} << 20;

GrpcServerOptions OptionsOf(const Settings& settings) {
  return {.threads = settings.threads,
          .max_receive_bytes =
              std::max<size_t>(kMinReceiveBytes, 2 * settings.max_value_bytes) + (64 << 10),
          .max_buffer_bytes = GrpcBytes(settings),
          .max_concurrent_streams = static_cast<int>(
              StreamPlaces::Announced(static_cast<size_t>(settings.max_concurrent_streams))),
          .max_connection_age = settings.max_connection_age,
          .max_connection_age_grace = settings.shutdown_grace};
}

}  // namespace

Node::Node(const Settings& settings, const std::optional<Membership>& membership)
    : settings_(settings),
      store_({.shards = settings.shards,
              .max_memory_bytes = settings.max_memory_bytes,
              .evict = settings.evict}),
      replays_(settings.request_window_bytes, &Clock::System()),
      events_(&store_, settings.events),
      admissions_(
          {.operations = settings.max_inflight_operations, .bytes = settings.max_inflight_bytes},
          static_cast<size_t>(settings.max_concurrent_streams)),
      slow_calls_(settings.slowlog_threshold, settings.slowlog_entries),
      live_settings_(
          settings, [this] { return store_.LeastMemoryBytes(); },
          {.max_memory = [this](uint64_t bytes) { store_.SetMaxMemoryBytes(bytes); },
           .slowlog_threshold = [this](auto threshold) { slow_calls_.SetThreshold(threshold); },
           .log_level = SetLogLevel}),
      cache_(&store_, &replays_, &events_, &Clock::System(), settings.max_value_bytes),
      wire_(&store_, &events_, &cache_),
      admin_(
          &store_, &counters_, &slow_calls_, [this] { return listener_.counts().open; },
          [this](v1::InfoResponse* response) { live_settings_.Describe(response); }),
      cluster_handlers_(nullptr),
      router_(membership.has_value()
                  ? std::make_optional<Router>(*membership, static_cast<size_t>(settings.threads))
                  : std::nullopt),
      rpcs_(AllRpcs()),
      grpc_(OptionsOf(settings), &counters_, &admissions_, &slow_calls_),
      rpc_metrics_(&counters_),
      store_metrics_(
          &store_, [this] { return replays_.memory_bytes(); },
          [this] { return CountConnections(); }),
      admission_metrics_(&counters_, &admissions_.budget),
      event_metrics_(&events_),
      settings_metrics_(&live_settings_) {
  if (router_.has_value()) routing_metrics_.emplace(&*router_);
}

std::vector<Rpc> Node::AllRpcs() {
  std::vector<Rpc> rpcs = MakeRpcs({.store = &store_,
                                    .cache = &cache_,
                                    .wire = &wire_,
                                    .admin = &admin_,
                                    .cluster = &cluster_handlers_,
                                    .settings = &live_settings_,
                                    .health = &health_,
                                    .reflection = &reflection_,
                                    .dispatchers = &dispatchers_});
  return router_.has_value() ? Routed(std::move(rpcs), &store_, &cache_, &*router_) : rpcs;
}

absl::Status Node::Start() {
  LogSettings();
  if (absl::Status status = listener_.Bind(settings_.listen, settings_.unix_socket_mode);
      !status.ok()) {
    return status;
  }
  if (absl::Status status = StartHttp(); !status.ok()) return status;
  if (absl::Status status = StartGrpc(); !status.ok()) return status;
  housekeeper_ = std::make_unique<Housekeeper>(&store_, &replays_, &events_);
  if (http_ != nullptr) http_->set_ready(true);
  spdlog::info("Ferrite {} serves gRPC on {}, HTTP on {}: {} threads, {} shards, {} MiB of memory",
               FERRITE_VERSION, grpc_address(), http_address(), settings_.threads,
               store_.shard_count(), settings_.max_memory_bytes >> 20);
  return absl::OkStatus();
}

void Node::LogSettings() const {
  const Machine& machine = settings_.machine;
  spdlog::info("there are {} of memory by {}, and {} cores by {}",
               RenderBytes(machine.memory_bytes.amount), machine.memory_bytes.source,
               machine.cores.amount, machine.cores.source);
  const std::map<std::string, std::string> in_force = InForce(settings_);
  for (const auto& [name, value] : settings_.flags) {
    const std::string& now = in_force.at(name);
    spdlog::info("setting {} = {}{}", name, value.text, now == value.text ? "" : " (" + now + ")");
  }
  for (const std::string& warning : settings_.warnings) spdlog::warn("{}", warning);
}

absl::Status Node::StartHttp() {
  if (settings_.http_listen.empty()) return absl::OkStatus();
  std::vector<const prometheus::Collectable*> metrics = {&rpc_metrics_,       &store_metrics_,
                                                         &admission_metrics_, &event_metrics_,
                                                         &settings_metrics_,  &process_metrics_};
  if (routing_metrics_.has_value()) metrics.push_back(&*routing_metrics_);
  auto http = HttpEndpoint::Start(settings_.http_listen, settings_.unix_socket_mode, metrics);
  if (!http.ok()) return http.status();
  http_ = *std::move(http);
  return absl::OkStatus();
}

absl::Status Node::StartGrpc() {
  if (absl::Status status = RaiseDescriptorLimit(); !status.ok()) return status;
  if (absl::Status status = grpc_.Build(rpcs_); !status.ok()) return status;
  for (QueueThread* thread : grpc_.threads()) {
    Dispatcher* const dispatcher =
        dispatchers_.emplace_back(std::make_unique<Dispatcher>(thread, &events_)).get();
    events_.AddDispatcher(dispatcher);
    if (!router_.has_value()) {
      thread->BetweenSteps([dispatcher] { dispatcher->RunIfWoken(); });
      continue;
    }
    ThreadRouting* const routing = router_->of(thread->index());
    routing->ConnectBy(std::make_unique<GrpcPeers>(thread));
    thread->BetweenSteps([dispatcher, routing] {
      dispatcher->RunIfWoken();
      routing->Flush();
    });
    thread->WhenClosed([routing] { routing->Close(); });
  }
  grpc_.Start();
  health_.SetServing(true);
  const size_t connections = ConnectionLimit(settings_.max_connections);
  live_settings_.LimitConnections(connections);
  absl::Status status = listener_.Start(
      {.connections = connections, .by_descriptors = connections < settings_.max_connections},
      PolicyOfDoor(connections, settings_.max_connections, &health_),
      [this](int listener, int descriptor) { grpc_.Handoff(listener, descriptor); });
  if (!status.ok()) Shutdown();
  return status;
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

void Node::Shutdown() {
  if (http_ != nullptr) http_->set_ready(false);
  health_.SetServing(false);
  listener_.Stop();
  grpc_.Shutdown(settings_.shutdown_grace,
                 MakeError(absl::StatusCode::kUnavailable, v1::SHUTTING_DOWN,
                           "the server shuts down; frames without a reply were not executed"),
                 [this](size_t thread) { dispatchers_[thread]->Close(); });
}

}  // namespace ferrite
