#include "server/audit/audit_metrics.h"

#include "server/metrics/family.h"

namespace ferrite {

std::vector<prometheus::MetricFamily> AuditMetrics::Collect() const {
  const AuditCounts counts = log_.counts();
  auto records = MakeFamily("ferrite_audit_records_total",
                            "Records of the audit log, by what became of them: written, dropped as "
                            "there were too many, or failed to be written.",
                            prometheus::MetricType::Counter);
  AddCounter(&records, {{"outcome", "written"}}, static_cast<double>(counts.written));
  AddCounter(&records, {{"outcome", "dropped"}}, static_cast<double>(counts.dropped));
  AddCounter(&records, {{"outcome", "failed"}}, static_cast<double>(counts.failed));
  return {records};
}

}  // namespace ferrite
