#include "base/byte_amount.h"

#include <limits>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace ferrite {
namespace {

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
  if (power == std::string_view::npos || (rest != "" && rest != "b" && rest != "i" && rest != "ib"))
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

}  // namespace ferrite
