#pragma once

// Whether and when a subscription opens a new stream after one has ended. Pure decisions: time and
// chance are arguments.

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/options.h"

namespace ferrite {

// How long to wait before the next stream; absent: there is none, as it would end in the same way.
// `failures`, at least 1, counts the streams that have ended since something last arrived; `why` is
// the status of this one; `pushback` is what the server sent as `grpc-retry-pushback-ms`, if it
// did. `chance` is uniform in [0, 1).
std::optional<absl::Duration> ReconnectionDelay(const RetryPolicy& policy, int failures,
                                                const absl::Status& why,
                                                std::optional<std::string_view> pushback,
                                                double chance);

}  // namespace ferrite
