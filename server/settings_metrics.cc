#include "server/settings_metrics.h"

#include <limits>

#include "server/metrics/family.h"
#include "server/settings/exposure.h"
#include "server/settings/memory_plan.h"

namespace ferrite {

std::vector<prometheus::MetricFamily> SettingsMetrics::Collect() const {
  using prometheus::MetricType;
  const Settings now = settings_.Now();
  auto changes = MakeFamily("ferrite_config_changes_total",
                            "Settings that were changed while the server ran, by setting.",
                            MetricType::Counter);
  for (const auto& [setting, count] : settings_.Changes())
    AddCounter(&changes, {{"setting", setting}}, static_cast<double>(count));
  auto level =
      MakeFamily("ferrite_log_level", "1 for the level that is in force.", MetricType::Gauge);
  for (const char* name : {"debug", "info", "warning", "error"})
    AddGauge(&level, {{"level", name}}, now.log_level == name ? 1 : 0);
  auto plan = MakeFamily("ferrite_memory_plan_bytes",
                         "What may be in use at once, by the setting or part that takes it.",
                         MetricType::Gauge);
  for (const MemoryUse& use : MemoryPlan(now))
    AddGauge(&plan, {{"part", use.what}}, static_cast<double>(use.bytes));
  return {
      changes,
      level,
      plan,
      SingleGauge("ferrite_available_memory_bytes",
                  "The memory that the machine, control groups and resource limits allow.",
                  static_cast<double>(now.machine.memory_bytes.amount)),
      SingleGauge("ferrite_insecure",
                  "1 if other machines are served without TLS or without a policy (--insecure).",
                  IsInsecure(now) ? 1 : 0),
      SingleGauge("ferrite_slowlog_threshold_seconds",
                  "How long a call takes that is slow; +Inf: none is.",
                  now.slowlog_threshold.has_value() ? absl::ToDoubleSeconds(*now.slowlog_threshold)
                                                    : std::numeric_limits<double>::infinity())};
}

}  // namespace ferrite
