#include "server/settings/quantity.h"

#include <charconv>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"

namespace ferrite {
namespace {

absl::Status BadBytes(std::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "'", std::string(text), "' is not an amount of memory, such as 512MiB, 2GiB or 1048576"));
}

}  // namespace

absl::StatusOr<uint64_t> ParseBytes(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return BadBytes(text);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (unit.empty() || unit == "B") return number;
  const size_t power = std::string_view("KMGT").find(unit[0]);
  unit.remove_prefix(1);
  if (power == std::string_view::npos || (!unit.empty() && unit != "B" && unit != "iB"))
    return BadBytes(text);
  const int shift = 10 * (static_cast<int>(power) + 1);
  if (number > std::numeric_limits<uint64_t>::max() >> shift) return BadBytes(text);
  return number << shift;
}

absl::StatusOr<uint64_t> ParseBytesOrShare(std::string_view text, uint64_t whole_bytes) {
  if (!text.ends_with('%')) return ParseBytes(text);
  unsigned percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size() - 1, percent);
  if (error != std::errc() || end != text.data() + text.size() - 1 || percent < 1 ||
      percent > 100) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", std::string(text), "' is not a share from 1% to 100%"));
  }
  return whole_bytes / 100 * percent;
}

absl::StatusOr<std::optional<absl::Duration>> ParseDurationOrOff(const std::string& text) {
  absl::Duration duration;
  if (text == "off" || text == "-1") return std::nullopt;
  if (!absl::ParseDuration(text, &duration)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is neither a duration, such as 10ms or 0, nor off"));
  }
  if (duration < absl::ZeroDuration()) return std::nullopt;
  return duration;
}

}  // namespace ferrite
