#pragma once

// Whether and when a subscription whose stream has ended opens another one. Pure decisions: time
// and chance come in as arguments.

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/options.h"

namespace ferrite {

// How long to wait before the next stream; absent: there is to be none, as it would end alike.
// `failures`, at least 1, counts the streams that have ended since the last one on which something
// came, `why` is what this one ended with, and `pushback` what the server sent as
// `grpc-retry-pushback-ms`, if it did. `chance` is uniform in [0, 1).
std::optional<absl::Duration> ReconnectionDelay(const RetryPolicy& policy, int failures,
                                                const absl::Status& why,
                                                std::optional<std::string_view> pushback,
                                                double chance);

}  // namespace ferrite
