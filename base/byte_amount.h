#pragma once

// Amounts of memory as people write and read them.

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ferrite {

// What may be written, for whoever has to explain it.
inline constexpr char kByteAmountForms[] =
    "an amount of memory such as 512MiB, 1.5g or 1048576; units are b, k, m, g and t, also as kb, "
    "ki or kib, in upper or lower case, each 1024 times the one before";

// "1048576", "512MiB", "512Mi", "512MB", "512m", "1.5GiB": a number, with a fraction only where it
// has a unit, and the unit without a blank before it. A fraction of a byte is dropped.
// INVALID_ARGUMENT, with what may be written in the text, for anything else, for what is negative,
// and for 16 EiB and more.
absl::StatusOr<uint64_t> ParseByteAmount(std::string_view text);

// "512MiB", "1.50GiB", to be written again: with the largest unit that leaves at least 1, and no
// more digits than tell something.
std::string RenderBytes(uint64_t bytes);

// "512 B", "1.5 KiB", "2.0 GiB", for tables, also of rates.
std::string RoundedBytes(double bytes);

}  // namespace ferrite
