#pragma once

// Durations as people write and read them: 250ms, 30s, 5m, 2h, 7d, 1h30m.

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ferrite::cli {

// As ReadDuration does (base/duration_text.h), with `text` in the message of its error. A leading
// minus is accepted; the server decides what it means.
absl::StatusOr<absl::Duration> ParseDuration(std::string_view text);

// Writes the two leading units of a duration that is not negative: "250ms", "29.87s", "1h30m",
// "7d".
std::string RenderDuration(absl::Duration duration);

}  // namespace ferrite::cli
