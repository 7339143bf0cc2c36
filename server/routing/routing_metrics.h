#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "server/routing/router.h"

namespace ferrite {

// The metrics of routing. Thread-safe.
class RoutingMetrics final : public prometheus::Collectable {
 public:
  // `router` must outlive this.
  explicit RoutingMetrics(const Router* router) : router_(*router) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const Router& router_;
};

}  // namespace ferrite
