#include "server/node.h"

#include <spdlog/spdlog.h>

namespace ferrite {

Node::Node(const Settings& settings)
    : settings_(settings),
      store_({.shards = settings.shards,
              .max_memory_bytes = settings.max_memory_bytes,
              .evict = settings.evict}),
      replays_(settings.request_window_bytes, &Clock::System()),
      events_(&store_, settings.events),
      admissions_(
          {.operations = settings.max_inflight_operations, .bytes = settings.max_inflight_bytes}),
      slow_calls_(settings.slowlog_threshold, settings.slowlog_entries),
      cache_(&store_, &replays_, &events_, &Clock::System(), settings.max_value_bytes),
      wire_(&store_, &events_, &cache_),
      rpc_(settings, &store_, &cache_, &wire_, &events_, &counters_, &admissions_, &slow_calls_),
      admin_(
          &store_, &counters_, &slow_calls_, [this] { return rpc_.listener().counts().open; },
          settings.by_flag),
      rpc_metrics_(&counters_),
      store_metrics_(&store_, &replays_, [this] { return rpc_.listener().counts(); }),
      admission_metrics_(&counters_, &admissions_.budget),
      event_metrics_(&events_) {}

absl::Status Node::Start() {
  for (const auto& [flag, value] : settings_.by_flag) spdlog::info("setting {} = {}", flag, value);
  if (absl::Status status = rpc_.Bind(); !status.ok()) return status;
  if (settings_.http_listen.has_value()) {
    auto http = HttpEndpoint::Start(
        *settings_.http_listen,
        {&rpc_metrics_, &store_metrics_, &admission_metrics_, &event_metrics_, &process_metrics_});
    if (!http.ok()) return http.status();
    http_ = *std::move(http);
  }
  if (absl::Status status = rpc_.Start(&admin_); !status.ok()) return status;
  housekeeper_ = std::make_unique<Housekeeper>(&store_, &replays_, &events_);
  if (http_ != nullptr) http_->set_ready(true);
  spdlog::info("Ferrite {} serves gRPC on {}, HTTP on {}: {} threads, {} shards, {} MiB of memory",
               FERRITE_VERSION, grpc_address(), http_address(), settings_.threads,
               store_.shard_count(), settings_.max_memory_bytes >> 20);
  return absl::OkStatus();
}

void Node::Shutdown() {
  if (http_ != nullptr) http_->set_ready(false);
  rpc_.Shutdown(settings_.shutdown_grace);
}

}  // namespace ferrite
