#pragma once

// Durations as people type and read them: 250ms, 30s, 5m, 2h, 7d, 1h30m.

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ferrite::cli {

// Reads one or more numbers, each with its unit (ms, s, m, h, d) and possibly a fraction ("1.5s").
// INVALID_ARGUMENT with a text for people when `text` is none, or beyond 1,000 years. A leading
// minus is understood; what it means is up to the server.
absl::StatusOr<absl::Duration> ParseDuration(std::string_view text);

// Writes the two leading units of a duration that is not negative: "250ms", "29.87s", "1h30m",
// "7d".
std::string RenderDuration(absl::Duration duration);

}  // namespace ferrite::cli
