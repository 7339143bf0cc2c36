#include "server/namespaces/namespace_metrics.h"

#include "server/metrics/family.h"

namespace ferrite {

std::vector<prometheus::MetricFamily> NamespaceMetrics::Collect() const {
  using prometheus::MetricType;
  auto requests = MakeFamily("ferrite_namespace_requests_total",
                             "Keys of each namespace that were asked for or written, by outcome.",
                             MetricType::Counter);
  auto refused = MakeFamily("ferrite_namespace_refused_total",
                            "Operations that were refused by a limit of their namespace.",
                            MetricType::Counter);
  auto memory = MakeFamily("ferrite_namespace_memory_limit_bytes",
                           "What each namespace may take, more than a quarter of it for other "
                           "things than entries.",
                           MetricType::Gauge);
  auto subscribers = MakeFamily("ferrite_namespace_subscribers", "Subscriptions of each namespace.",
                                MetricType::Gauge);
  auto connections = MakeFamily(
      "ferrite_namespace_connections",
      "Connections that use each namespace; 0 where there is no limit on them.", MetricType::Gauge);
  for (const auto& space : namespaces_.All()) {
    const std::string& name = space->name();
    for (size_t i = 0; i < kCacheOutcomeNames.size(); ++i) {
      const CacheOutcomeName& outcome = kCacheOutcomeNames[i];
      AddCounter(&requests, {{"namespace", name}, {"op", outcome.op}, {"result", outcome.result}},
                 static_cast<double>(space->tally().count(static_cast<CacheOutcome>(i))));
    }
    AddCounter(&refused, {{"namespace", name}}, static_cast<double>(space->tally().refused()));
    AddGauge(&memory, {{"namespace", name}}, static_cast<double>(space->memory_bytes()));
    AddGauge(&subscribers, {{"namespace", name}}, static_cast<double>(space->events()->streams()));
    AddGauge(&connections, {{"namespace", name}}, static_cast<double>(space->connections()));
  }
  return {requests, refused, memory, subscribers, connections};
}

}  // namespace ferrite
