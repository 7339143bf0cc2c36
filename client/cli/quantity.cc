#include "client/cli/quantity.h"

#include <cmath>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ferrite::cli {

std::string Grouped(uint64_t number) {
  std::string digits = absl::StrCat(number);
  for (auto i = static_cast<int64_t>(digits.size()) - 3; i > 0; i -= 3) digits.insert(i, 1, ',');
  return digits;
}

std::string ShortCount(uint64_t number) {
  if (number < 1'000'000) return Grouped(number);
  constexpr char kUnits[] = "MGTPE";
  auto amount = static_cast<double>(number) / 1e6;
  size_t unit = 0;
  for (; amount >= 999.5 && unit + 2 < std::size(kUnits); ++unit) amount /= 1000;
  return absl::StrFormat("%.3g%c", amount, kUnits[unit]);
}

std::string RenderRate(double per_second) {
  if (per_second == 0) return "0";
  if (per_second < 0.05) return "<0.1";
  if (per_second < 10) return absl::StrFormat("%.1f", per_second);
  return Grouped(static_cast<uint64_t>(std::llround(per_second)));
}

std::string RenderShare(double part, double whole) {
  return whole > 0 ? absl::StrFormat("%.1f%%", 100 * part / whole) : "0%";
}

std::string RenderMicroseconds(double us) {
  if (us < 1'000) return absl::StrFormat("%.0f us", us);
  if (us < 1'000'000) return absl::StrFormat("%.1f ms", us / 1e3);
  return absl::StrFormat("%.2f s", us / 1e6);
}

}  // namespace ferrite::cli
