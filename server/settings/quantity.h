#pragma once

// Amounts as people write them in flags.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ferrite {

// "1048576", "64KiB", "512MiB", "2GiB", "1TiB"; also "512M" and "512MB", which mean the same here.
absl::StatusOr<uint64_t> ParseBytes(std::string_view text);

// The same, or a share such as "75%" of `whole_bytes`.
absl::StatusOr<uint64_t> ParseBytesOrShare(std::string_view text, uint64_t whole_bytes);

// "10ms", "1.5s", "0"; absent for "off" and for what is below zero.
absl::StatusOr<std::optional<absl::Duration>> ParseDurationOrOff(const std::string& text);

}  // namespace ferrite
