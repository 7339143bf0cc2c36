#include "base/byte_amount.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ferrite {
namespace {

// Each 1024 times the one before.
constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};

// Digits of a fraction beyond these are below a byte in every unit.
constexpr size_t kMaxFractionDigits = 18;

std::string_view TakeDigits(std::string_view* text) {
  const size_t end = std::min(text->find_first_not_of("0123456789"), text->size());
  const std::string_view digits = text->substr(0, end);
  text->remove_prefix(end);
  return digits;
}

// Bytes of a unit as a power of two; absent if there is no such unit.
std::optional<int> ShiftOf(std::string_view unit) {
  const std::string lower = absl::AsciiStrToLower(absl::string_view(unit.data(), unit.size()));
  if (lower.empty() || lower == "b") return 0;
  const size_t power = std::string_view("kmgt").find(lower[0]);
  const std::string_view rest = std::string_view(lower).substr(1);
  if (power == std::string_view::npos ||
      (!rest.empty() && rest != "b" && rest != "i" && rest != "ib"))
    return std::nullopt;
  return 10 * (static_cast<int>(power) + 1);
}

absl::Status NotAnAmount(std::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", std::string(text), "' is not ", kByteAmountForms));
}

}  // namespace

absl::StatusOr<uint64_t> ParseByteAmount(std::string_view text) {
  using Wide = unsigned __int128;
  constexpr Wide kMost = std::numeric_limits<uint64_t>::max();
  std::string_view rest = text;
  const std::string_view whole = TakeDigits(&rest);
  if (whole.empty()) return NotAnAmount(text);
  std::string_view fraction;
  const bool has_point = rest.starts_with('.');
  if (has_point) {
    rest.remove_prefix(1);
    fraction = TakeDigits(&rest);
  }
  const std::optional<int> shift = ShiftOf(rest);
  if (!shift.has_value() || (has_point && (fraction.empty() || *shift == 0)))
    return NotAnAmount(text);
  Wide number = 0;
  for (const char digit : whole) {
    number = number * 10 + static_cast<unsigned>(digit - '0');
    if (number << *shift > kMost)
      return absl::InvalidArgumentError(
          absl::StrCat("'", std::string(text), "' is not below 16 EiB"));
  }
  Wide part = 0;
  Wide scale = 1;
  for (const char digit : fraction.substr(0, kMaxFractionDigits)) {
    part = part * 10 + static_cast<unsigned>(digit - '0');
    scale *= 10;
  }
  return static_cast<uint64_t>((number << *shift) + (part << *shift) / scale);
}

std::string RenderBytes(uint64_t bytes) {
  size_t unit = 0;
  while (unit + 1 < std::size(kUnits) && bytes >> (10 * (unit + 1)) > 0) ++unit;
  const uint64_t one = uint64_t{1} << (10 * unit);
  if (bytes % one == 0) return absl::StrCat(bytes / one, kUnits[unit]);
  return absl::StrFormat("%.2f%s", static_cast<double>(bytes) / static_cast<double>(one),
                         kUnits[unit]);
}

std::string RoundedBytes(double bytes) {
  size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(kUnits); ++unit) bytes /= 1024;
  return absl::StrFormat("%.*f %s", unit == 0 ? 0 : 1, bytes, kUnits[unit]);
}

}  // namespace ferrite
