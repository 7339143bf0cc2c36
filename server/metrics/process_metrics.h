#pragma once

// The process_* metrics that every Prometheus client library gives and prometheus-cpp does not.

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

namespace ferrite {

// Thread-safe. Leaves out what /proc does not tell.
class ProcessMetrics final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace ferrite
