#pragma once

// The metrics of work in progress and of what was turned away.

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "server/admission/inflight_budget.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {

// Thread-safe.
class AdmissionMetrics final : public prometheus::Collectable {
 public:
  // Both must outlive this.
  AdmissionMetrics(const CounterRegistry* counters, const InflightBudget* budget)
      : counters_(*counters), budget_(*budget) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const CounterRegistry& counters_;
  const InflightBudget& budget_;
};

}  // namespace ferrite
