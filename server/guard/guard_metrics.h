#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "server/guard/frame_guard.h"

namespace ferrite {

// What the guard has cut, and what it counts. Thread-safe.
class GuardMetrics final : public prometheus::Collectable {
 public:
  // It must outlive this.
  explicit GuardMetrics(const FrameGuard* guard) : guard_(*guard) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const FrameGuard& guard_;
};

}  // namespace ferrite
