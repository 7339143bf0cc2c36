#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ferrite {

// Reads "250us", "1.5s", "1h30m", "7d" or "0": one or more numbers, possibly with a fraction, each
// with its unit (d, h, m, s, ms, us, ns), and no unit twice; 0 needs none. INVALID_ARGUMENT if it
// is anything else, negative, or more than 1,000 years, with what is to follow the text in a
// complaint about it, such as "has the unit h twice".
absl::StatusOr<absl::Duration> ReadDuration(std::string_view text);

}  // namespace ferrite
