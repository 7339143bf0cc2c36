#include "server/settings/quantity.h"

#include <charconv>
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/byte_amount.h"
#include "base/duration_text.h"

namespace ferrite {
namespace {

// Reads all of `text` as decimal digits.
std::optional<uint64_t> Digits(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

absl::Status NotA(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", std::string(text), "' is not ", std::string(what)));
}

}  // namespace

absl::StatusOr<uint64_t> ParseCount(std::string_view text) {
  const std::optional<uint64_t> number = Digits(text);
  if (!number.has_value()) return NotA(text, "a whole number");
  return *number;
}

absl::StatusOr<uint64_t> ParseBytesOrShare(std::string_view text, uint64_t whole_bytes) {
  if (!text.ends_with('%')) return ParseByteAmount(text);
  const absl::StatusOr<uint64_t> percent = ParseShare(text);
  if (!percent.ok()) return percent.status();
  return whole_bytes / 100 * *percent;
}

absl::StatusOr<uint64_t> ParseShare(std::string_view text) {
  const auto digits = text.ends_with('%') ? Digits(text.substr(0, text.size() - 1)) : std::nullopt;
  if (!digits.has_value() || *digits < 1 || *digits > 100)
    return NotA(text, "a share from 1% to 100%");
  return *digits;
}

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text) {
  absl::StatusOr<absl::Duration> duration = ReadDuration(text);
  if (duration.ok()) return duration;
  return absl::InvalidArgumentError(
      absl::StrCat("'", std::string(text), "' ", duration.status().message()));
}

}  // namespace ferrite
