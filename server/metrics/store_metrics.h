#pragma once

// The metrics of the store, the connections and the build.

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "server/metrics/connection_counts.h"
#include "store/store.h"

namespace ferrite {

// Of the store of a namespace other than default.
struct NamedStats {
  std::string name;
  StoreStats stats;
  uint64_t request_window_bytes = 0;
};

// Thread-safe.
class StoreMetrics final : public prometheus::Collectable {
 public:
  // `store` must outlive this. `request_window_bytes` tells what the outcomes of calls with a
  // request_id take, and `others` of namespaces, whose series have the label `namespace`. All
  // functions are called on any thread.
  StoreMetrics(const Store* store, std::function<uint64_t()> request_window_bytes,
               std::function<ConnectionCounts()> connections,
               std::function<std::vector<NamedStats>()> others = nullptr)
      : store_(*store),
        request_window_bytes_(std::move(request_window_bytes)),
        connections_(std::move(connections)),
        others_(std::move(others)) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const Store& store_;
  const std::function<uint64_t()> request_window_bytes_;
  const std::function<ConnectionCounts()> connections_;
  const std::function<std::vector<NamedStats>()> others_;
};

}  // namespace ferrite
