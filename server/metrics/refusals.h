#pragma once

#include "absl/status/status.h"
#include "server/call/status.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {

// Counts a call, or an operation of a batch, that failed for a reason of ours, unless that was
// counted: ferrite_refused_total.
inline void CountRefusal(const absl::Status& status) {
  const v1::ErrorReason reason = ReasonOf(status);
  if (reason != v1::ERROR_REASON_UNSPECIFIED && !IsCounted(status)) {
    ThreadCounters::Current().CountRefusal(static_cast<size_t>(reason));
  }
}

}  // namespace ferrite
