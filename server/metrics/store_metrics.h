#pragma once

// The metrics of the store, the connections and the build.

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <vector>

#include "server/handlers/replay_window.h"
#include "store/store.h"

namespace ferrite {

// What the accept loop tells.
struct ConnectionCounts {
  size_t open = 0;
  uint64_t rejected_over_limit = 0;
  uint64_t rejected_no_descriptor = 0;
};

// Thread-safe.
class StoreMetrics final : public prometheus::Collectable {
 public:
  // All must outlive this.
  StoreMetrics(const Store* store, const ReplayWindow* replays,
               std::function<ConnectionCounts()> connections)
      : store_(*store), replays_(*replays), connections_(std::move(connections)) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const Store& store_;
  const ReplayWindow& replays_;
  const std::function<ConnectionCounts()> connections_;
};

}  // namespace ferrite
