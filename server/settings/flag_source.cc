#include "server/settings/flag_source.h"

#include <algorithm>
#include <set>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace ferrite {
namespace {

absl::Status SetFlag(const std::string& name, const std::string& source, const std::string& value) {
  std::string error;
  if (absl::FindCommandLineFlag(name)->ParseFrom(value, &error)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(source, ": '", value, "' is not allowed", error.empty() ? "" : ": ", error));
}

}  // namespace

std::string FlagName(const std::string& name) {
  return "--" + absl::StrReplaceAll(name, {{"_", "-"}});
}

std::string EnvironmentName(const std::string& name) {
  return "FERRITE_" + absl::AsciiStrToUpper(name);
}

absl::Status SetFlags(const std::vector<std::string>& names,
                      const std::vector<std::string>& arguments,
                      const std::map<std::string, std::string>& environment) {
  std::set<std::string> given;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const size_t equals = argument.find('=');
    const std::string spelled = argument.substr(0, equals);
    const auto known = std::find_if(names.begin(), names.end(), [&](const auto& name) {
      return spelled == FlagName(name) || spelled == "--" + name;
    });
    if (known == names.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown flag '", argument, "'; --help lists the flags"));
    }
    if (equals == std::string::npos && i + 1 == arguments.size()) {
      return absl::InvalidArgumentError(absl::StrCat(spelled, " needs a value"));
    }
    const std::string value =
        equals == std::string::npos ? arguments[++i] : argument.substr(equals + 1);
    if (absl::Status status = SetFlag(*known, spelled, value); !status.ok()) return status;
    given.insert(*known);
  }
  for (const std::string& name : names) {
    const auto variable = environment.find(EnvironmentName(name));
    if (variable == environment.end() || given.contains(name)) continue;
    if (absl::Status status = SetFlag(name, variable->first, variable->second); !status.ok())
      return status;
  }
  return absl::OkStatus();
}

}  // namespace ferrite
