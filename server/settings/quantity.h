#pragma once

// Quantities as people write them in flags. All errors are INVALID_ARGUMENT, with what may be
// written in the text.

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ferrite {

// "65536": decimal digits.
absl::StatusOr<uint64_t> ParseCount(std::string_view text);

// An amount (base/byte_amount.h), or a share such as "75%" of `whole_bytes`.
absl::StatusOr<uint64_t> ParseBytesOrShare(std::string_view text, uint64_t whole_bytes);

// "50%", 1% to 100%, as 50.
absl::StatusOr<uint64_t> ParseShare(std::string_view text);

// As ReadDuration does (base/duration_text.h).
absl::StatusOr<absl::Duration> ParseDuration(std::string_view text);

}  // namespace ferrite
