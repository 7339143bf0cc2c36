#include "server/metrics/store_metrics.h"

#include <utility>

#include "server/metrics/family.h"

namespace ferrite {
namespace {

using prometheus::MetricType;

// What there is of each store.
struct StoreFamilies {
  prometheus::MetricFamily entries =
      MakeFamily("ferrite_cache_entries", "Entries that are there; expired ones not counted.",
                 MetricType::Gauge);
  prometheus::MetricFamily memory =
      MakeFamily("ferrite_memory_bytes",
                 "Memory in use, by what for. All but request_window count against the limit.",
                 MetricType::Gauge);
  prometheus::MetricFamily limit =
      MakeFamily("ferrite_memory_limit_bytes", "The limit on memory; 0: none.", MetricType::Gauge);
  prometheus::MetricFamily evictions =
      MakeFamily("ferrite_evictions_total", "Entries removed before their time, by reason.",
                 MetricType::Counter);
  prometheus::MetricFamily expired =
      MakeFamily("ferrite_expired_total",
                 "Expired entries whose memory was taken back: by the sweep, or by a "
                 "call that met them.",
                 MetricType::Counter);

  void Add(const MetricLabels& of, const StoreStats& stats, uint64_t request_window_bytes) {
    const auto with = [&of](const char* label, const char* value) {
      MetricLabels labels = of;
      labels.push_back({label, value});
      return labels;
    };
    AddGauge(&entries, of, static_cast<double>(stats.entries));
    AddGauge(&memory, with("class", "slots"), static_cast<double>(stats.slot_bytes));
    AddGauge(&memory, with("class", "blocks"),
             static_cast<double>(stats.block_bytes + stats.unused_block_bytes));
    AddGauge(&memory, with("class", "table"), static_cast<double>(stats.table_bytes));
    AddGauge(&memory, with("class", "eviction"), static_cast<double>(stats.eviction_bytes));
    AddGauge(&memory, with("class", "request_window"), static_cast<double>(request_window_bytes));
    AddGauge(&limit, of, static_cast<double>(stats.limit_bytes));
    AddCounter(&evictions, with("reason", "memory"), static_cast<double>(stats.evictions));
    AddCounter(&expired, with("mode", "sweep"), static_cast<double>(stats.expired_by_sweep));
    AddCounter(&expired, with("mode", "access"), static_cast<double>(stats.expired_on_access));
  }
};

}  // namespace

std::vector<prometheus::MetricFamily> StoreMetrics::Collect() const {
  const StoreStats stats = store_.Stats();
  const ConnectionCounts connections = connections_();

  auto build = MakeFamily("ferrite_build_info", "Always 1; the labels tell what is running.",
                          MetricType::Gauge);
  AddGauge(&build, {{"version", FERRITE_VERSION}, {"compiler", __VERSION__}}, 1);

  StoreFamilies stores;
  stores.Add({}, stats, request_window_bytes_());
  for (const NamedStats& other : others_ == nullptr ? std::vector<NamedStats>() : others_())
    stores.Add({{"namespace", other.name}}, other.stats, other.request_window_bytes);

  auto rejected = MakeFamily("ferrite_connections_rejected_total",
                             "Connections that were refused, by reason; http_limit and "
                             "http_timeout are of the HTTP port.",
                             MetricType::Counter);
  for (const auto& [reason, count] : {std::pair{"limit", connections.over_limit},
                                      std::pair{"descriptors", connections.over_descriptors},
                                      std::pair{"accept_error", connections.accept_errors},
                                      std::pair{"http_limit", connections.http_displaced},
                                      std::pair{"http_timeout", connections.http_timed_out}}) {
    AddCounter(&rejected, {{"reason", reason}}, static_cast<double>(count));
  }

  return {build,
          stores.entries,
          stores.memory,
          stores.limit,
          stores.evictions,
          stores.expired,
          SingleGauge("ferrite_connections", "Open gRPC connections.",
                      static_cast<double>(connections.open)),
          rejected};
}

}  // namespace ferrite
