#pragma once

// The metrics of settings that can change while the server runs, and of the memory that all allow.

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "server/live_settings.h"

namespace ferrite {

// Thread-safe.
class SettingsMetrics final : public prometheus::Collectable {
 public:
  // `settings` must outlive this.
  explicit SettingsMetrics(const LiveSettings* settings) : settings_(*settings) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const LiveSettings& settings_;
};

}  // namespace ferrite
