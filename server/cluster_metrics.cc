#include "server/cluster_metrics.h"

#include <algorithm>
#include <limits>

#include "base/clock.h"
#include "proto/slot.h"
#include "server/metrics/family.h"

namespace ferrite {
namespace {

using cluster::EtcdOp;
using cluster::EtcdTally;
using prometheus::MetricType;

prometheus::ClientMetric::Histogram LatencyOf(const EtcdTally::OfOp& op) {
  prometheus::ClientMetric::Histogram histogram;
  for (size_t i = 0; i < op.latency.size(); ++i) {
    histogram.sample_count += op.latency[i].load(std::memory_order_relaxed);
    const double bound = i < cluster::kEtcdLatencyBounds.size()
                             ? cluster::kEtcdLatencyBounds[i]
                             : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({histogram.sample_count, bound});
  }
  histogram.sample_sum =
      1e-9 * static_cast<double>(op.latency_sum_ns.load(std::memory_order_relaxed));
  return histogram;
}

}  // namespace

std::vector<prometheus::MetricFamily> ClusterMetrics::Collect() const {
  std::vector<prometheus::MetricFamily> families;
  if (driver_ == nullptr) return families;
  CollectMembership(&families);
  CollectEtcd(&families);
  return families;
}

void ClusterMetrics::CollectMembership(std::vector<prometheus::MetricFamily>* families) const {
  const auto gauge = [&](const char* name, const char* help, double value) {
    families->push_back(SingleGauge(name, help, value));
  };
  const auto view = driver_->view().Get();
  const cluster::CoreStatus core = driver_->core_status();
  uint32_t unowned = 0;
  for (uint32_t slot = 0; slot < kSlotCount; ++slot)
    unowned += view->route(slot).place == cluster::Route::Place::kNobody;
  gauge("ferrite_cluster_map_epoch", "The epoch of the newest map that this node knows.",
        static_cast<double>(view->version().epoch));
  gauge("ferrite_cluster_slots_owned", "Slots that this node owns.",
        static_cast<double>(driver_->slots_owned()));
  gauge("ferrite_cluster_slots_without_owner", "Slots that nobody owns, as this node knows it.",
        unowned);
  gauge("ferrite_cluster_nodes", "Nodes that live, as this node knows it.",
        static_cast<double>(core.nodes));
  constexpr double kNsPerSecond = 1e9;
  const auto left_ns = static_cast<double>(driver_->right().end_ns() - BootNs());
  gauge("ferrite_cluster_lease_remaining_seconds",
        "How long this node may serve without another answer of etcd; 0: it may not.",
        std::max(0.0, left_ns / kNsPerSecond));
  gauge("ferrite_cluster_controller", "Whether this node makes the changes of the map.",
        core.controller);
  constexpr double kUsPerSecond = 1e6;
  gauge("ferrite_cluster_clock_offset_seconds",
        "By how much the wall clock of the node that is furthest off is ahead of this one's; 0: "
        "none is off by so much that it matters.",
        static_cast<double>(core.clock_ahead_us) / kUsPerSecond);
  families->push_back(SingleCounter("ferrite_cluster_map_changes_total",
                                    "Changes of the map that this node has made.",
                                    static_cast<double>(core.map_changes)));
  auto problems = MakeFamily("ferrite_cluster_problem",
                             "Whether there is this problem; `ferrite cluster status` says more.",
                             MetricType::Gauge);
  for (const auto& [name, is_there] : driver_->problems())
    AddGauge(&problems, {{"problem", name}}, is_there);
  families->push_back(std::move(problems));
}

void ClusterMetrics::CollectEtcd(std::vector<prometheus::MetricFamily>* families) const {
  auto duration =
      MakeFamily("ferrite_etcd_request_duration_seconds",
                 "How long calls to etcd took that were answered.", MetricType::Histogram);
  auto failures = MakeFamily("ferrite_etcd_failures_total",
                             "Calls to etcd, and its watch, that ended without an answer, by why.",
                             MetricType::Counter);
  for (size_t i = 0; i < cluster::kEtcdOpNames.size(); ++i) {
    const auto op = static_cast<EtcdOp>(i);
    const EtcdTally::OfOp& tally = driver_->etcd_tally().of(op);
    const char* const name = cluster::kEtcdOpNames[i];
    if (op != EtcdOp::kWatch) {
      prometheus::ClientMetric& metric = duration.metric.emplace_back();
      metric.label = {{"op", name}};
      metric.histogram = LatencyOf(tally);
    }
    for (size_t failure = 0; failure < tally.failures.size(); ++failure) {
      AddCounter(&failures, {{"op", name}, {"reason", cluster::kEtcdFailureNames[failure]}},
                 static_cast<double>(tally.failures[failure].load(std::memory_order_relaxed)));
    }
  }
  families->push_back(std::move(duration));
  families->push_back(std::move(failures));
}

}  // namespace ferrite
