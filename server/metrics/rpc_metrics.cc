#include "server/metrics/rpc_metrics.h"

#include <limits>
#include <string>

#include "server/metrics/family.h"

namespace ferrite {
namespace {

using prometheus::MetricType;

// As Go's gRPC libraries spell them, and so as dashboards do.
constexpr std::array<const char*, kStatusCodeCount> kCodeNames = {
    "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated"};

MetricLabels MethodLabels(size_t method) {
  const MethodName& name = kMethodNames[method];
  return {{"grpc_type", std::string(name.type)},
          {"grpc_service", std::string(name.service)},
          {"grpc_method", std::string(name.method)}};
}

prometheus::ClientMetric::Histogram LatencyOf(const CounterRegistry& counters, Method method) {
  prometheus::ClientMetric::Histogram histogram;
  for (size_t i = 0; i <= kLatencyBounds.size(); ++i) {
    histogram.sample_count += counters.Sum([&](const ThreadCounters& thread) {
      return thread.of(method).latency[i].load(std::memory_order_relaxed);
    });
    const bool last = i == kLatencyBounds.size();
    const double bound = last ? std::numeric_limits<double>::infinity() : kLatencyBounds[i];
    histogram.bucket.push_back({histogram.sample_count, bound});
  }
  histogram.sample_sum = 1e-9 * static_cast<double>(counters.Sum([&](const ThreadCounters& thread) {
                           return thread.of(method).latency_sum_ns.load(std::memory_order_relaxed);
                         }));
  return histogram;
}

}  // namespace

std::vector<prometheus::MetricFamily> RpcMetrics::Collect() const {
  auto started =
      MakeFamily("grpc_server_started_total", "Calls that were taken up.", MetricType::Counter);
  auto handled = MakeFamily("grpc_server_handled_total", "Calls that have ended, by status.",
                            MetricType::Counter);
  auto received = MakeFamily("grpc_server_msg_received_total", "Messages received from clients.",
                             MetricType::Counter);
  auto sent =
      MakeFamily("grpc_server_msg_sent_total", "Messages sent to clients.", MetricType::Counter);
  auto handling =
      MakeFamily("grpc_server_handling_seconds",
                 "Time from a call being taken up to its answer being ready; of Pipeline, "
                 "that of each frame, and of Subscribe, of making each message.",
                 MetricType::Histogram);
  auto inflight = MakeFamily("ferrite_inflight_requests", "Calls in progress.", MetricType::Gauge);
  auto waiting = MakeFamily("ferrite_waiting_requests",
                            "Of these, calls that wait for something else than their thread.",
                            MetricType::Gauge);
  for (size_t i = 0; i < kMethodCount; ++i) {
    const auto method = static_cast<Method>(i);
    const MetricLabels labels = MethodLabels(i);
    const MetricLabels op = {{"op", std::string(kMethodNames[i].op)}};
    const auto sum = [&](Counter MethodCounters::*counter) {
      return static_cast<double>(counters_.Sum([&](const ThreadCounters& thread) {
        return (thread.of(method).*counter).load(std::memory_order_relaxed);
      }));
    };
    AddCounter(&started, labels, sum(&MethodCounters::started));
    AddCounter(&received, labels, sum(&MethodCounters::received));
    AddCounter(&sent, labels, sum(&MethodCounters::sent));
    for (size_t code = 0; code < kStatusCodeCount; ++code) {
      MetricLabels with_code = labels;
      with_code.push_back({"grpc_code", kCodeNames[code]});
      AddCounter(&handled, std::move(with_code),
                 static_cast<double>(counters_.Sum([&](const ThreadCounters& thread) {
                   return thread.of(method).handled[code].load(std::memory_order_relaxed);
                 })));
    }
    prometheus::ClientMetric& latency = handling.metric.emplace_back();
    latency.label = labels;
    latency.histogram = LatencyOf(counters_, method);
    AddGauge(&inflight, op, static_cast<double>(counters_.Inflight(method)));
    AddGauge(&waiting, op, static_cast<double>(counters_.Waiting(method)));
  }
  auto requests = MakeFamily("ferrite_cache_requests_total",
                             "Keys asked for, by operation and what became of them; a key of "
                             "MGet counts as a get, and so on.",
                             MetricType::Counter);
  for (size_t i = 0; i < kCacheOutcomeNames.size(); ++i) {
    AddCounter(&requests,
               {{"op", kCacheOutcomeNames[i].op}, {"result", kCacheOutcomeNames[i].result}},
               static_cast<double>(counters_.Sum([i](const ThreadCounters& thread) {
                 return thread.count(static_cast<CacheOutcome>(i));
               })));
  }
  return {started, handled, received, sent, handling, inflight, waiting, requests};
}

}  // namespace ferrite
