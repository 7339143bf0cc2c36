#pragma once

// The metrics of the store, the connections and the build.

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <utility>
#include <vector>

#include "server/metrics/connection_counts.h"
#include "store/store.h"

namespace ferrite {

// Thread-safe.
class StoreMetrics final : public prometheus::Collectable {
 public:
  // `store` must outlive this. `request_window_bytes` tells what the outcomes of calls with a
  // request_id take. Both functions are called on any thread.
  StoreMetrics(const Store* store, std::function<uint64_t()> request_window_bytes,
               std::function<ConnectionCounts()> connections)
      : store_(*store),
        request_window_bytes_(std::move(request_window_bytes)),
        connections_(std::move(connections)) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const Store& store_;
  const std::function<uint64_t()> request_window_bytes_;
  const std::function<ConnectionCounts()> connections_;
};

}  // namespace ferrite
