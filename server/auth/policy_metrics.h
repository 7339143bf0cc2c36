#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "server/auth/policy_file.h"

namespace ferrite {

// Thread-safe. What was denied is counted by ferrite_refused_total.
class PolicyMetrics final : public prometheus::Collectable {
 public:
  // Both must outlive it.
  PolicyMetrics(const PolicyFile* file, const PublishedPolicy* published)
      : file_(*file), published_(*published) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const PolicyFile& file_;
  const PublishedPolicy& published_;
};

}  // namespace ferrite
