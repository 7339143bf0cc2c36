#include <fnmatch.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/commands.h"
#include "client/cli/options.h"

namespace ferrite::cli {
namespace {

struct ConfigArguments {
  std::string action = "get";
  std::string name;
  std::string value;
};

const char* SourceName(v1::SettingSource source) {
  switch (source) {
    case v1::SETTING_SOURCE_FLAG:
      return "flag";
    case v1::SETTING_SOURCE_ENVIRONMENT:
      return "environment";
    case v1::SETTING_SOURCE_CALL:
      return "config set";
    default:
      return "default";
  }
}

nlohmann::ordered_json SettingJson(const v1::Setting& setting) {
  return {{"name", setting.name()},
          {"value", setting.value()},
          {"in_force", setting.in_force()},
          {"default", setting.default_value()},
          {"source", SourceName(setting.source())},
          {"changeable", setting.changeable()},
          {"description", setting.description()}};
}

// "70% (158544680)" where the server has computed something.
std::string ValueOf(const v1::Setting& setting) {
  if (setting.value() == setting.in_force()) return setting.value();
  return absl::StrCat(setting.value(), " (", setting.in_force(), ")");
}

void PrintSettings(const v1::GetConfigResponse& reply) {
  size_t name_width = 0;
  size_t value_width = 0;
  for (const v1::Setting& setting : reply.settings()) {
    name_width = std::max(name_width, setting.name().size());
    value_width = std::max(value_width, ValueOf(setting).size());
  }
  for (const v1::Setting& setting : reply.settings()) {
    PrintLine(absl::StrFormat("%-*s  %-*s  %s%s", static_cast<int>(name_width), setting.name(),
                              static_cast<int>(value_width), ValueOf(setting),
                              SourceName(setting.source()),
                              setting.changeable() ? ", can be set" : ""));
  }
}

bool IsPattern(const std::string& name) { return name.find_first_of("*?[") != std::string::npos; }

// The settings that `name` names: one, those that match a pattern such as max-*, or all.
absl::StatusOr<v1::GetConfigResponse> SettingsNamed(Client& client, const std::string& name) {
  v1::GetConfigRequest request;
  if (name.empty() || !IsPattern(name)) {
    if (!name.empty()) request.add_names(name);
    return client.GetConfig(request);
  }
  absl::StatusOr<v1::GetConfigResponse> reply = client.GetConfig(request);
  if (!reply.ok()) return reply.status();
  v1::GetConfigResponse matching;
  for (const v1::Setting& setting : reply->settings()) {
    if (fnmatch(name.c_str(), setting.name().c_str(), 0) == 0) *matching.add_settings() = setting;
  }
  if (matching.settings().empty()) {
    return absl::NotFoundError(absl::StrCat("no setting matches '", name, "'"));
  }
  return matching;
}

absl::StatusOr<ExitCode> GetSettings(const Session& session, Client& client,
                                     const std::string& name) {
  const absl::StatusOr<v1::GetConfigResponse> reply = SettingsNamed(client, name);
  if (!reply.ok()) return reply.status();
  if (!session.json) {
    PrintSettings(*reply);
    return ExitCode::kOk;
  }
  nlohmann::ordered_json settings = nlohmann::ordered_json::array();
  for (const v1::Setting& setting : reply->settings()) settings.push_back(SettingJson(setting));
  PrintJson(name.empty() || IsPattern(name) ? settings : settings.at(0));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> SetSetting(const Session& session, Client& client,
                                    const ConfigArguments& arguments) {
  v1::SetConfigRequest request;
  request.set_name(UnprotectArgument(arguments.name));
  request.set_value(UnprotectArgument(arguments.value));
  const absl::StatusOr<v1::SetConfigResponse> reply = client.SetConfig(request);
  if (!reply.ok()) return reply.status();
  for (const std::string& warning : reply->warnings()) PrintNote("warning: " + warning);
  if (session.json) {
    nlohmann::ordered_json setting = SettingJson(reply->setting());
    setting["previous_value"] = reply->previous_value();
    PrintJson(setting);
  } else {
    PrintLine(absl::StrCat(arguments.name, session.AtServer(), " is ", ValueOf(reply->setting()),
                           " now, and was ", reply->previous_value()));
  }
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunConfig(Session& session, const ConfigArguments& arguments) {
  const absl::StatusOr<Client*> client = session.ConnectToServer();
  if (!client.ok()) return client.status();
  if (arguments.action == "get")
    return GetSettings(session, **client, UnprotectArgument(arguments.name));
  return SetSetting(session, **client, arguments);
}

}  // namespace

void AddConfig(CLI::App& app, Session& session) {
  auto config = std::make_shared<ConfigArguments>();
  CLI::App* command =
      AddCommand(app, session, "config",
                 "Print the server's settings: config get [NAME]; or change one until the server "
                 "ends: config set NAME VALUE; of a cluster, one node: the one that is asked",
                 config, RunConfig);
  command->add_option("ACTION", config->action, "get or set")
      ->transform(CLI::IsMember({"get", "set"}, CLI::ignore_case))
      ->capture_default_str();
  CLI::Option* name = command->add_option(
      "NAME", config->name,
      "A setting, such as max-memory; with get also a pattern, such as 'max-*'");
  CLI::Option* value = command->add_option("VALUE", config->value, "What it is to be");
  command->parse_complete_callback([config, name, value] {
    if (config->action == "set" && value->empty()) {
      throw CLI::RequiredError(name->empty() ? "NAME" : "VALUE");
    }
    if (config->action == "get" && !value->empty()) {
      throw CLI::ValidationError(
          "VALUE",
          absl::StrCat("config get takes a NAME only; to change it, write ferrite config set ",
                       UnprotectArgument(config->name), " ", UnprotectArgument(config->value)));
    }
  });
}

}  // namespace ferrite::cli
