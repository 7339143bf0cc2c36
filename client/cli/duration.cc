#include "client/cli/duration.h"

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/duration_text.h"

namespace ferrite::cli {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);
constexpr std::pair<std::string_view, absl::Duration> kUnits[] = {{"ms", absl::Milliseconds(1)},
                                                                  {"s", absl::Seconds(1)},
                                                                  {"m", absl::Minutes(1)},
                                                                  {"h", absl::Hours(1)},
                                                                  {"d", kDay}};

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text) {
  const bool negative = text.starts_with('-');
  const absl::StatusOr<absl::Duration> duration = ReadDuration(text.substr(negative ? 1 : 0));
  if (duration.ok()) return negative ? -*duration : *duration;
  return absl::InvalidArgumentError(absl::StrCat("\"", absl::string_view(text.data(), text.size()),
                                                 "\" ", duration.status().message()));
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
