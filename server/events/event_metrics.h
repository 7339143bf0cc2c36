#pragma once

// The metrics of publish and subscribe.

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "server/events/event_hub.h"

namespace ferrite {

// Thread-safe.
class EventMetrics final : public prometheus::Collectable {
 public:
  // `events` must outlive this.
  explicit EventMetrics(const EventHub* events) : events_(*events) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const EventHub& events_;
};

}  // namespace ferrite
