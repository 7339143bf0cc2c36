#pragma once

// Who may read the metrics over HTTP where there is a policy: whose bearer token gives the verb
// metrics.

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "server/access/access_control.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {

// Not thread-safe: belongs to the one thread that serves HTTP.
class Scrapers {
 public:
  // Both must outlive it.
  Scrapers(const AccessControl* access, CounterRegistry* counters)
      : access_(*access), counters_(*counters) {}

  // OK, or why not: UNAUTHENTICATED or PERMISSION_DENIED, which is counted. `authorization` are the
  // headers of that name.
  absl::Status Admit(const std::vector<std::string_view>& authorization);

 private:
  const AccessControl& access_;
  CounterRegistry& counters_;
  bool is_attached_ = false;
};

}  // namespace ferrite
