#pragma once

#include "absl/status/status.h"
#include "server/call/status.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {

// Counts a call, or an operation of a batch, that failed for a reason of ours:
// ferrite_refused_total.
inline void CountRefusal(const absl::Status& status) {
  if (const v1::ErrorReason reason = ReasonOf(status); reason != v1::ERROR_REASON_UNSPECIFIED) {
    ThreadCounters::Current().CountRefusal(static_cast<size_t>(reason));
  }
}

}  // namespace ferrite
