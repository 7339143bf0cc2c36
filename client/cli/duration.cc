#include "client/cli/duration.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ferrite::cli {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);
constexpr absl::Duration kLongest = absl::Hours(24 * 365 * 1000);

constexpr std::pair<std::string_view, absl::Duration> kUnits[] = {{"ms", absl::Milliseconds(1)},
                                                                  {"s", absl::Seconds(1)},
                                                                  {"m", absl::Minutes(1)},
                                                                  {"h", absl::Hours(1)},
                                                                  {"d", kDay}};

// Takes the longest prefix of `*text` whose characters are all in `allowed`.
std::string_view TakeWhile(std::string_view* text, std::string_view allowed) {
  const size_t end = std::min(text->find_first_not_of(allowed), text->size());
  const std::string_view taken = text->substr(0, end);
  text->remove_prefix(end);
  return taken;
}

absl::Status Refusal(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("\"", absl::string_view(text.data(), text.size()),
                                                 "\" ", absl::string_view(why.data(), why.size())));
}

absl::Status NotADuration(std::string_view text) {
  return Refusal(text, "is not a duration such as 250ms, 30s, 5m, 2h or 7d");
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest.front() == '-';
  if (negative) rest.remove_prefix(1);
  if (rest.empty()) return NotADuration(text);
  if (rest == "0") return absl::ZeroDuration();
  absl::Duration sum;
  while (!rest.empty()) {
    const std::string_view number = TakeWhile(&rest, "0123456789.");
    const std::string_view name = TakeWhile(&rest, "abcdefghijklmnopqrstuvwxyz");
    double amount;
    if (!absl::SimpleAtod(absl::string_view(number.data(), number.size()), &amount)) {
      return NotADuration(text);
    }
    const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                    [&](auto& u) { return u.first == name; });
    if (name.empty()) return Refusal(text, "has no unit: it is a number and ms, s, m, h or d");
    if (unit == std::end(kUnits)) return NotADuration(text);
    sum += amount * unit->second;
    if (sum > kLongest) return Refusal(text, "is longer than 1,000 years");
  }
  return negative ? -sum : sum;
}

std::string RenderDuration(absl::Duration duration) {
  if (duration < absl::Seconds(1)) return absl::StrCat(absl::ToInt64Milliseconds(duration), "ms");
  if (duration < absl::Minutes(1)) {
    const int64_t hundredths = absl::ToInt64Milliseconds(duration) / 10;
    return absl::StrFormat("%gs", static_cast<double>(hundredths) / 100);
  }
  for (size_t i = std::size(kUnits) - 1; i > 1; --i) {
    absl::Duration rest;
    const int64_t whole = absl::IDivDuration(duration, kUnits[i].second, &rest);
    if (whole == 0) continue;
    const int64_t part = absl::IDivDuration(rest, kUnits[i - 1].second, &rest);
    std::string rendered =
        absl::StrCat(whole, absl::string_view(kUnits[i].first.data(), kUnits[i].first.size()));
    if (part != 0) {
      absl::StrAppend(&rendered, part, absl::string_view(kUnits[i - 1].first.data(), 1));
    }
    return rendered;
  }
  return "0ms";
}

}  // namespace ferrite::cli
