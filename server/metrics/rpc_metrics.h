#pragma once

// The metrics of RPCs, under the names that stock gRPC dashboards know. Every set of labels is
// there from the start, at 0. No key is ever a label.

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "server/metrics/thread_counters.h"

namespace ferrite {

// Thread-safe.
class RpcMetrics final : public prometheus::Collectable {
 public:
  // `counters` must outlive this.
  explicit RpcMetrics(const CounterRegistry* counters) : counters_(*counters) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const CounterRegistry& counters_;
};

}  // namespace ferrite
