#include "base/duration_text.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ferrite {
namespace {

constexpr absl::Duration kLongest = absl::Hours(24 * 365 * 1000);

constexpr std::pair<std::string_view, absl::Duration> kUnits[] = {
    {"d", absl::Hours(24)},       {"h", absl::Hours(1)},         {"m", absl::Minutes(1)},
    {"s", absl::Seconds(1)},      {"ms", absl::Milliseconds(1)}, {"us", absl::Microseconds(1)},
    {"ns", absl::Nanoseconds(1)},
};

// Takes the longest prefix of `*text` whose characters are all in `allowed`.
std::string_view TakeWhile(std::string_view* text, std::string_view allowed) {
  const size_t end = std::min(text->find_first_not_of(allowed), text->size());
  const std::string_view taken = text->substr(0, end);
  text->remove_prefix(end);
  return taken;
}

absl::Status NotADuration() {
  return absl::InvalidArgumentError("is not a duration such as 250us, 10ms, 1.5s, 1h30m, 7d or 0");
}

}  // namespace

absl::StatusOr<absl::Duration> ReadDuration(std::string_view text) {
  if (text == "0") return absl::ZeroDuration();
  if (text.empty()) return NotADuration();
  bool seen[std::size(kUnits)] = {};
  absl::Duration sum;
  while (!text.empty()) {
    const std::string_view number = TakeWhile(&text, "0123456789.");
    const std::string_view name = TakeWhile(&text, "abcdefghijklmnopqrstuvwxyz");
    double amount;
    if (!absl::SimpleAtod(absl::string_view(number.data(), number.size()), &amount))
      return NotADuration();
    if (name.empty() && text.empty())
      return absl::InvalidArgumentError("has no unit: it is a number and d, h, m, s, ms, us or ns");
    const auto* const unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                          [&](const auto& each) { return each.first == name; });
    if (unit == std::end(kUnits)) return NotADuration();
    if (std::exchange(seen[unit - std::begin(kUnits)], true)) {
      return absl::InvalidArgumentError(
          absl::StrCat("has the unit ", absl::string_view(name.data(), name.size()), " twice"));
    }
    sum += amount * unit->second;
    if (sum > kLongest) return absl::InvalidArgumentError("is longer than 1,000 years");
  }
  return sum;
}

}  // namespace ferrite
