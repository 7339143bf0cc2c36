#include "server/settings/flag_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/byte_amount.h"
#include "base/check.h"
#include "server/settings/quantity.h"

namespace ferrite {
namespace {

std::string RenderCount(uint64_t number) { return absl::StrCat(number); }

}  // namespace

const FlagValue& FlagReader::ValueOf(std::string_view name) const {
  const auto value = values_.find(name);
  FERRITE_CHECK(value != values_.end());
  return value->second;
}

std::string FlagReader::Spelled(std::string_view name) const {
  switch (ValueOf(name).source) {
    case FlagSource::kEnvironment:
      return EnvironmentName(name);
    case FlagSource::kCall:
      return std::string(name);
    default:
      return FlagName(name);
  }
}

void FlagReader::Require(bool holds, std::string_view name, const std::string& complaint) {
  if (holds || !status_.ok()) return;
  status_ = absl::InvalidArgumentError(absl::StrCat(Spelled(name), ": ", complaint));
}

std::string_view FlagReader::Culprit(std::string_view first, std::string_view second) const {
  const auto source = [this](std::string_view name) { return ValueOf(name).source; };
  const bool is_later = source(second) == FlagSource::kCall && source(first) != FlagSource::kCall;
  return is_later || (!IsSet(first) && IsSet(second)) ? second : first;
}

std::string FlagReader::Choice(std::string_view name, const std::vector<std::string>& choices) {
  const std::string& text = Text(name);
  Require(std::find(choices.begin(), choices.end(), text) != choices.end(), name,
          absl::StrCat("'", text, "' is not one of ", absl::StrJoin(choices, ", ")));
  return text;
}

uint64_t FlagReader::InRange(std::string_view name, uint64_t value, const Range& range,
                             std::string (*render)(uint64_t)) {
  Require(value >= range.least && value <= range.most, name,
          absl::StrCat("'", Text(name), "' is not from ", render(range.least), " to ",
                       render(range.most)));
  return std::clamp(value, range.least, range.most);
}

uint64_t FlagReader::Count(std::string_view name, const Range& range) {
  const absl::StatusOr<uint64_t> count = ParseCount(Text(name));
  Require(count.ok(), name,
          absl::StrCat("'", Text(name), "' is not a whole number from ", range.least, " to ",
                       range.most));
  return InRange(name, count.value_or(range.least), range, RenderCount);
}

uint64_t FlagReader::Amount(std::string_view name, absl::StatusOr<uint64_t> parsed,
                            const Range& range) {
  Require(parsed.ok(), name,
          absl::StrCat(parsed.status().message(), "; it may be from ", RenderBytes(range.least),
                       " to ", RenderBytes(range.most)));
  return parsed.value_or(range.least);
}

uint64_t FlagReader::Bytes(std::string_view name, const Range& range) {
  return InRange(name, Amount(name, ParseByteAmount(Text(name)), range), range, RenderBytes);
}

uint64_t FlagReader::BytesOrShare(std::string_view name, const Range& range) {
  const std::string& text = Text(name);
  const uint64_t bytes = Amount(name, ParseBytesOrShare(text, whole_bytes_), range);
  const bool is_share = text.ends_with('%');
  Require(!is_share || bytes >= range.least, name,
          absl::StrCat(text, " of ", RenderBytes(whole_bytes_), " (", whole_source_, ") are ",
                       RenderBytes(bytes), "; the least is ", RenderBytes(range.least)));
  // No share is too much, but more than the most is of no use.
  return InRange(name, is_share ? std::min(bytes, range.most) : bytes, range, RenderBytes);
}

uint64_t FlagReader::BytesOrShareOrNone(std::string_view name, const Range& range) {
  const absl::StatusOr<uint64_t> amount = ParseByteAmount(Text(name));
  if (amount.ok() && *amount == 0) return 0;
  return BytesOrShare(name, range);
}

absl::Duration FlagReader::Duration(std::string_view name, absl::Duration least,
                                    absl::Duration most) {
  const absl::StatusOr<absl::Duration> duration = ParseDuration(Text(name));
  const bool from_zero = least == absl::ZeroDuration();
  const std::string range =
      absl::StrCat("it may be ", from_zero ? "" : "0, or ", "from ", absl::FormatDuration(least),
                   " to ", absl::FormatDuration(most));
  Require(duration.ok(), name, absl::StrCat(duration.status().message(), "; ", range));
  const absl::Duration value = duration.value_or(absl::ZeroDuration());
  Require(value <= most, name, absl::StrCat("'", Text(name), "' is too long; ", range));
  Require(value == absl::ZeroDuration() || value >= least, name,
          absl::StrCat("'", Text(name), "' is too short; ", range));
  return value;
}

std::optional<absl::Duration> FlagReader::DurationOrOff(std::string_view name,
                                                        absl::Duration most) {
  const std::string& text = Text(name);
  if (text == "off") return std::nullopt;
  // Redis's -1 is a time here, too, and none that has a meaning.
  Require(!text.starts_with('-'), name,
          absl::StrCat("'", text, "' is below zero; it may be from 0 to ",
                       absl::FormatDuration(most), ", or off"));
  return Duration(name, absl::ZeroDuration(), most);
}

}  // namespace ferrite
