#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "server/audit/audit_log.h"

namespace ferrite {

// Thread-safe.
class AuditMetrics final : public prometheus::Collectable {
 public:
  // `log` must outlive it.
  explicit AuditMetrics(const AuditLog* log) : log_(*log) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const AuditLog& log_;
};

}  // namespace ferrite
