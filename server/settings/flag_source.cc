#include "server/settings/flag_source.h"

#include <algorithm>
#include <optional>
#include <regex>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace ferrite {
namespace {

constexpr std::string_view kPrefix = "FERRITE_";

// Variables of the command `ferrite`, and of tests, which may run in the same environment.
constexpr std::string_view kOfOthers[] = {
    "FERRITE_SERVER", "FERRITE_TLS",        "FERRITE_CA",
    "FERRITE_CERT",   "FERRITE_KEY",        "FERRITE_TLS_NAME",
    "FERRITE_TOKEN",  "FERRITE_TOKEN_FILE", "FERRITE_SERVER_BINARY"};

// Whether Kubernetes or Docker sets such a variable for a service whose name begins with "ferrite".
bool IsServiceLink(const std::string& name, const std::string& value) {
  static const std::regex of_a_port(
      "FERRITE_([A-Z0-9_]+_)?(SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)|"
      "PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)");
  static const std::regex of_a_service("FERRITE_([A-Z0-9_]+_)?PORT");
  static const std::regex url("(tcp|udp|sctp)://.*");
  return std::regex_match(name, of_a_port) ||
         (std::regex_match(name, of_a_service) && std::regex_match(value, url));
}

bool IsOthers(const std::string& name, const std::string& value) {
  return std::find(std::begin(kOfOthers), std::end(kOfOthers), name) != std::end(kOfOthers) ||
         IsServiceLink(name, value);
}

// `plain` is `written` as the table of flags would spell it; `spell` spells one of these names.
absl::Status Unknown(const char* what, const std::string& written, const std::string& plain,
                     std::string (*spell)(std::string_view)) {
  const std::optional<std::string> nearest = NearestFlag(plain);
  return absl::InvalidArgumentError(
      absl::StrCat("unknown ", what, " '", written, "'; ",
                   nearest.has_value() ? absl::StrCat("did you mean ", spell(*nearest), "? ") : "",
                   "--help lists all settings"));
}

// A name as the table has it, from one that others have spelled with underscores.
std::string Plain(std::string name) { return absl::StrReplaceAll(name, {{"_", "-"}}); }

absl::Status ReadArguments(const std::vector<std::string>& arguments, FlagValues* values) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const size_t equals = argument.find('=');
    const std::string spelled = argument.substr(0, equals);
    const size_t dashes = std::min(spelled.find_first_not_of('-'), spelled.size());
    const std::string name = Plain(spelled.substr(dashes));
    if (dashes != 2 || FindFlag(name) == nullptr) return Unknown("flag", argument, name, FlagName);
    const bool is_alone = equals == std::string::npos;
    if (is_alone && FindFlag(name)->is_switch) {
      (*values)[name] = {"yes", FlagSource::kCommandLine};
      continue;
    }
    if (is_alone && i + 1 == arguments.size())
      return absl::InvalidArgumentError(absl::StrCat(spelled, " needs a value"));
    const std::string text = is_alone ? arguments[++i] : argument.substr(equals + 1);
    FlagValue& value = (*values)[name];
    // An empty value forgets those before it.
    const bool joins = FindFlag(name)->repeatable && value.source == FlagSource::kCommandLine &&
                       !value.text.empty() && !text.empty();
    value = {joins ? absl::StrCat(value.text, ",", text) : text, FlagSource::kCommandLine};
  }
  return absl::OkStatus();
}

absl::Status ReadEnvironment(const std::map<std::string, std::string>& environment,
                             FlagValues* values) {
  for (const auto& [variable, value] : environment) {
    // In whatever case: one in small letters has no effect, which nobody would see.
    const std::string upper = absl::AsciiStrToUpper(variable);
    if (!upper.starts_with(kPrefix) || IsOthers(upper, value)) continue;
    const std::string name = Plain(absl::AsciiStrToLower(variable.substr(kPrefix.size())));
    const Flag* const flag = FindFlag(name);
    if (flag == nullptr || variable != EnvironmentName(name))
      return Unknown("environment variable", variable, name, EnvironmentName);
    FlagValue& known = (*values)[name];
    if (known.source == FlagSource::kDefault) known = {value, FlagSource::kEnvironment};
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FlagValues> ReadFlags(const std::vector<std::string>& arguments,
                                     const std::map<std::string, std::string>& environment) {
  FlagValues values;
  for (const Flag& flag : AllFlags()) {
    values[std::string(flag.name)] = {std::string(flag.otherwise), FlagSource::kDefault};
  }
  if (absl::Status status = ReadArguments(arguments, &values); !status.ok()) return status;
  if (absl::Status status = ReadEnvironment(environment, &values); !status.ok()) return status;
  return values;
}

}  // namespace ferrite
