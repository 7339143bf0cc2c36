#pragma once

// What a node of a cluster tells Prometheus of its cluster and of etcd; nothing for one that is
// part of none.

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "server/cluster/driver/driver.h"

namespace ferrite {

// Thread-safe.
class ClusterMetrics final : public prometheus::Collectable {
 public:
  // `driver` must outlive this; null: the node is part of no cluster.
  explicit ClusterMetrics(const cluster::Driver* driver) : driver_(driver) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  void CollectMembership(std::vector<prometheus::MetricFamily>* families) const;
  void CollectEtcd(std::vector<prometheus::MetricFamily>* families) const;

  const cluster::Driver* const driver_;
};

}  // namespace ferrite
