#pragma once

// The metrics of work in progress and of what was turned away.

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "server/admission/gate.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {

// Thread-safe.
class AdmissionMetrics final : public prometheus::Collectable {
 public:
  // Both must outlive this.
  AdmissionMetrics(const CounterRegistry* counters, const Admissions* admissions)
      : counters_(*counters), admissions_(*admissions) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const CounterRegistry& counters_;
  const Admissions& admissions_;
};

}  // namespace ferrite
