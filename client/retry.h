#pragma once

// Whether and when a failed call is tried again. Pure decisions: time and chance are arguments.

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/options.h"

namespace ferrite {

// One try that has failed.
struct FailedAttempt {
  // Tries made so far, this one included.
  int attempts = 1;
  // How many of the earlier ones do not count as such: those that were `patient`, or found that a
  // slot had moved.
  int uncounted = 0;
  // See client/repeatable.h.
  bool repeatable = false;
  absl::StatusCode code = absl::StatusCode::kUnknown;
  // What the server sent as `grpc-retry-pushback-ms`, if it did: when to try again; negative or no
  // number: never.
  std::optional<std::string_view> pushback;
  // Until the deadline of the call.
  absl::Duration time_left;
  // Somebody will be able to answer soon: only the deadline bounds the number of tries, unless the
  // policy has none but the first.
  bool patient = false;
};

// How long to wait before the next try; absent: do not try again. `chance` is uniform in [0, 1).
//
// UNAVAILABLE is tried again, and RESOURCE_EXHAUSTED if the server named a time. The server's time
// takes precedence over the client's backoff. If the next try could not start before the deadline,
// the call fails at once, and the caller learns the reason.
std::optional<absl::Duration> RetryDelay(const RetryPolicy& policy, const FailedAttempt& failed,
                                         double chance);

// The pause after `attempts` tries, at least 1. It doubles with each try, from the initial pause to
// the longest one; `chance`, uniform in [0, 1), picks a value between half of that and all of it,
// so that clients that failed together do not come back together.
absl::Duration Backoff(const RetryPolicy& policy, int attempts, double chance);

// The meaning of a `grpc-retry-pushback-ms`: when to try again; absent: never.
std::optional<absl::Duration> PushbackOf(std::string_view text);

// A random number in [0, 1) for the functions above. Thread-safe.
double RandomChance();

// 16 random bytes for the field `request_id` of a Set or Incr, which makes the call safe to retry.
// Thread-safe.
std::string NewRequestId();

}  // namespace ferrite
