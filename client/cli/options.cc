#include "client/cli/options.h"

#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/byte_amount.h"
#include "client/cli/duration.h"

namespace ferrite::cli {
namespace {

bool Parse(absl::string_view text, double* number) { return absl::SimpleAtod(text, number); }

template <class Integer>
bool Parse(absl::string_view text, Integer* number) {
  return absl::SimpleAtoi(text, number);
}

absl::Status CheckDuration(const std::string& text, absl::Duration duration, absl::Duration least,
                           absl::Duration most) {
  if (duration >= least && duration <= most) return absl::OkStatus();
  const std::string above = absl::StrCat("\"", text, "\" is not ", RenderDuration(least));
  return absl::InvalidArgumentError(most == absl::InfiniteDuration()
                                        ? absl::StrCat(above, " or more")
                                        : absl::StrCat(above, " to ", RenderDuration(most)));
}

}  // namespace

template <class Number>
absl::StatusOr<Number> ParseNumber(std::string_view text, Number least, Number most) {
  Number number;
  const absl::string_view digits(text.data(), text.size());
  // The comparison is written so that NaN fails it.
  if (Parse(digits, &number) && number >= least && number <= most) return number;
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", digits, "\" is not a ", std::is_integral_v<Number> ? "whole number" : "number",
      " from ", least, " to ", most));
}

template absl::StatusOr<int> ParseNumber(std::string_view, int, int);
template absl::StatusOr<int64_t> ParseNumber(std::string_view, int64_t, int64_t);
template absl::StatusOr<uint32_t> ParseNumber(std::string_view, uint32_t, uint32_t);
template absl::StatusOr<uint64_t> ParseNumber(std::string_view, uint64_t, uint64_t);
template absl::StatusOr<double> ParseNumber(std::string_view, double, double);

CLI::Option* AddDuration(CLI::App* command, const std::string& name,
                         std::optional<absl::Duration>* duration, const std::string& description,
                         absl::Duration least, absl::Duration most) {
  const auto parse = [=](const std::string& argument) {
    const std::string text = UnprotectArgument(argument);
    const absl::StatusOr<absl::Duration> parsed = ParseDuration(text);
    absl::Status status = parsed.status();
    if (status.ok()) status = CheckDuration(text, *parsed, least, most);
    if (!status.ok()) throw CLI::ValidationError(name, std::string(status.message()));
    *duration = *parsed;
  };
  return command->add_option_function<std::string>(name, parse, description)->type_name("DURATION");
}

CLI::Option* AddTtl(CLI::App* command, const std::string& name, std::optional<absl::Duration>* ttl,
                    const std::string& description) {
  return AddDuration(command, name, ttl, description, absl::Milliseconds(1), kLongestTtl);
}

CLI::Option* AddBytes(CLI::App* command, const std::string& name, int* bytes,
                      const std::string& description, int least, int most) {
  const auto parse = [=](const std::string& argument) {
    const std::string text = UnprotectArgument(argument);
    const absl::StatusOr<uint64_t> amount = ParseByteAmount(text);
    if (!amount.ok()) throw CLI::ValidationError(name, std::string(amount.status().message()));
    if (*amount < static_cast<uint64_t>(least) || *amount > static_cast<uint64_t>(most)) {
      throw CLI::ValidationError(
          name, absl::StrCat("\"", text, "\" is not from ", least, " to ", most, " bytes"));
    }
    *bytes = static_cast<int>(*amount);
  };
  return command->add_option_function<std::string>(name, parse, description)
      ->default_str(absl::StrCat(*bytes))
      ->type_name("BYTES");
}

CLI::Option* AddInteger(CLI::App* command, const std::string& name, std::optional<int64_t>* number,
                        const std::string& description) {
  using Limits = std::numeric_limits<int64_t>;
  return AddNumber<int64_t>(command, name, number, description, Limits::min(), Limits::max());
}

CLI::Option* AddUnsigned(CLI::App* command, const std::string& name,
                         std::optional<uint64_t>* number, const std::string& description) {
  return AddNumber<uint64_t>(command, name, number, description, 0,
                             std::numeric_limits<uint64_t>::max());
}

std::string ProtectArgument(std::string argument) {
  const auto bracketed = [](std::string_view text) {
    return !text.empty() && text.front() == '[' && text.back() == ']';
  };
  const auto between_nuls = [](std::string_view text) {
    return std::string(1, '\0').append(text).append(1, '\0');
  };
  const bool starts_with_0 = argument.size() > 2 && argument.compare(0, 2, "-0") == 0;
  if (bracketed(argument) || starts_with_0 || argument.find('\0') != std::string::npos) {
    return between_nuls(argument);
  }
  // --option=[value]
  const size_t equals = argument.compare(0, 2, "--") == 0 ? argument.find('=') : std::string::npos;
  if (equals != std::string::npos && bracketed(std::string_view(argument).substr(equals + 1))) {
    return argument.substr(0, equals + 1) + between_nuls(argument.substr(equals + 1));
  }
  return argument;
}

std::string UnprotectArgument(std::string argument) {
  if (argument.size() >= 2 && argument.front() == '\0' && argument.back() == '\0') {
    return argument.substr(1, argument.size() - 2);
  }
  return argument;
}

std::vector<std::string> ChoicesOf(const CLI::Option& option) {
  // CLI11 keeps them only in the description of the type: "TEXT:{uniform,zipf}".
  const std::string type = option.get_type_name();
  const size_t open = type.find('{');
  const size_t close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return absl::StrSplit(type.substr(open + 1, close - open - 1), ',');
}

}  // namespace ferrite::cli
