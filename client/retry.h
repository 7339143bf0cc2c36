#pragma once

// Whether and when a call that failed is tried again. Pure decisions: time and chance come in as
// arguments.

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
  // See client/repeatable.h.
  bool repeatable = false;
  absl::StatusCode code = absl::StatusCode::kUnknown;
  // What the server sent as `grpc-retry-pushback-ms`, if it did: when to come again; negative or no
  // number: never.
  std::optional<std::string_view> pushback;
  // Until the deadline of the call.
  absl::Duration time_left;
};

// How long to wait before the next try; absent: do not try again. `chance` is uniform in [0, 1).
//
// Tried again are UNAVAILABLE, and RESOURCE_EXHAUSTED if the server named a time. Its time goes
// before our own backoff. A try that could not start before the deadline is not worth waiting for:
// the caller learns the reason at once.
std::optional<absl::Duration> RetryDelay(const RetryPolicy& policy, const FailedAttempt& failed,
                                         double chance);

// The pause after `attempts` tries, at least 1: doubled each time from the initial one up to the
// limit, and of that between half and all, so that clients that failed together do not come back
// together. `chance` is uniform in [0, 1).
absl::Duration Backoff(const RetryPolicy& policy, int attempts, double chance);

// What a server means by this `grpc-retry-pushback-ms`: when to come again; absent: never.
std::optional<absl::Duration> PushbackOf(std::string_view text);

// A number in [0, 1) for the above. Thread-safe.
double RandomChance();

// 16 random bytes for the field `request_id` of a Set or Incr, which makes the call safe to retry.
// Thread-safe.
std::string NewRequestId();

}  // namespace ferrite
