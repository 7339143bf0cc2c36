#include "server/auth/policy_metrics.h"

#include "server/metrics/family.h"

namespace ferrite {

std::vector<prometheus::MetricFamily> PolicyMetrics::Collect() const {
  const PolicyFileCounts counts = file_.counts();
  const std::shared_ptr<const LoadedPolicy> policy = published_.Now();
  auto loads = MakeFamily("ferrite_policy_loads_total",
                          "How often the policy file was read after a change, by outcome.",
                          prometheus::MetricType::Counter);
  AddCounter(&loads, {{"outcome", "in_force"}}, static_cast<double>(counts.loaded));
  AddCounter(&loads, {{"outcome", "refused"}}, static_cast<double>(counts.refused));
  return {loads,
          SingleGauge("ferrite_policy_file_in_force",
                      "1 if what the policy file says is in force; 0: it was refused, and the "
                      "policy before it still is.",
                      counts.in_force ? 1 : 0),
          SingleGauge("ferrite_policy_keys_left_out",
                      "Public keys of issuers that are not believed, as they are broken, weak or "
                      "private, or share their kid.",
                      static_cast<double>(counts.keys_left_out)),
          SingleGauge("ferrite_policy_bindings", "Principals that the policy binds to roles.",
                      static_cast<double>(policy->policy().rules().bindings.size()))};
}

}  // namespace ferrite
