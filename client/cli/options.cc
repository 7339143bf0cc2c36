#include "client/cli/options.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/duration.h"

namespace ferrite::cli {
namespace {

template <class Integer>
CLI::Option* AddWhole(CLI::App* command, const std::string& name, std::optional<Integer>* number,
                      const std::string& description) {
  const auto parse = [name, number](const std::string& text) {
    Integer value;
    if (!absl::SimpleAtoi(text, &value)) {
      throw CLI::ValidationError(name,
                                 absl::StrCat("\"", text, "\" is not a whole number in range"));
    }
    *number = value;
  };
  return command->add_option_function<std::string>(name, parse, description)->type_name("NUMBER");
}

}  // namespace

CLI::Option* AddDuration(CLI::App* command, const std::string& name,
                         std::optional<absl::Duration>* duration, const std::string& description) {
  const auto parse = [name, duration](const std::string& text) {
    const absl::StatusOr<absl::Duration> parsed = ParseDuration(text);
    if (!parsed.ok()) throw CLI::ValidationError(name, std::string(parsed.status().message()));
    *duration = *parsed;
  };
  return command->add_option_function<std::string>(name, parse, description)->type_name("DURATION");
}

CLI::Option* AddInteger(CLI::App* command, const std::string& name, std::optional<int64_t>* number,
                        const std::string& description) {
  return AddWhole(command, name, number, description);
}

CLI::Option* AddUnsigned(CLI::App* command, const std::string& name,
                         std::optional<uint64_t>* number, const std::string& description) {
  return AddWhole(command, name, number, description);
}

std::string ProtectBrackets(std::string argument) {
  if (!argument.empty() && argument.front() == '[' && argument.back() == ']') {
    argument.push_back('\0');
  }
  return argument;
}

std::string UnprotectBrackets(std::string argument) {
  if (!argument.empty() && argument.back() == '\0') argument.pop_back();
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
