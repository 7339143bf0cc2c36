#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "server/namespaces/namespaces.h"

namespace ferrite {

// Of each namespace but `default`, by the label `namespace`: what is counted of no store. What is
// of stores is in StoreMetrics. Thread-safe.
class NamespaceMetrics final : public prometheus::Collectable {
 public:
  // `namespaces` must outlive it.
  explicit NamespaceMetrics(const Namespaces* namespaces) : namespaces_(*namespaces) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const Namespaces& namespaces_;
};

}  // namespace ferrite
