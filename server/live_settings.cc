#include "server/live_settings.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/beginning.h"
#include "base/byte_amount.h"
#include "server/call/status.h"
#include "server/settings/exposure.h"

namespace ferrite {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
// What is allowed is far shorter; errors and the log repeat what is not.
constexpr size_t kMaxSettingBytes = 64;

v1::SettingSource SourceOf(const FlagValue& value) {
  switch (value.source) {
    case FlagSource::kCommandLine:
      return v1::SETTING_SOURCE_FLAG;
    case FlagSource::kEnvironment:
      return v1::SETTING_SOURCE_ENVIRONMENT;
    case FlagSource::kCall:
      return v1::SETTING_SOURCE_CALL;
    default:
      return v1::SETTING_SOURCE_DEFAULT;
  }
}

v1::Setting ToMessage(const Flag& flag, const Settings& settings,
                      const std::map<std::string, std::string>& in_force) {
  const std::string name(flag.name);
  v1::Setting setting;
  setting.set_name(name);
  const auto value = settings.flags.find(name);
  if (value != settings.flags.end()) {
    setting.set_value(value->second.text);
    setting.set_source(SourceOf(value->second));
  }
  if (const auto now = in_force.find(name); now != in_force.end())
    setting.set_in_force(now->second);
  setting.set_default_value(std::string(flag.otherwise));
  setting.set_description(std::string(flag.description));
  setting.set_changeable(flag.changeable);
  return setting;
}

// What an error repeats of a name, which may be of any length.
std::string Shortened(std::string_view name) {
  constexpr size_t kMostBytes = 64;
  return absl::StrCat(std::string(Beginning(name, kMostBytes)),
                      name.size() > kMostBytes ? "..." : "");
}

absl::Status UnknownSetting(const std::string& name) {
  const std::optional<std::string> nearest = NearestFlag(name);
  return InvalidArgument(
      v1::SETTING_UNKNOWN,
      absl::StrCat("there is no setting '", Shortened(name), "'",
                   nearest.has_value() ? absl::StrCat("; did you mean ", *nearest, "?") : ""));
}

std::string ChangeableNames() {
  std::string names;
  for (const Flag& flag : AllFlags()) {
    if (flag.changeable) absl::StrAppend(&names, names.empty() ? "" : ", ", std::string(flag.name));
  }
  return names;
}

std::string TooFewDescriptors(size_t connections, size_t wanted) {
  return absl::StrCat("there are descriptors for ", connections, " connections only, not for ",
                      wanted,
                      " (max-connections): raise the limit on open files (RLIMIT_NOFILE, "
                      "`ulimit -n`, LimitNOFILE)");
}

}  // namespace

absl::Status LiveSettings::GetConfig(const v1::GetConfigRequest& request,
                                     v1::GetConfigResponse* response) {
  const Settings now = Now();
  const std::map<std::string, std::string> in_force = InForce(now);
  const size_t asked = static_cast<size_t>(request.names_size());
  if (const size_t most = AllFlags().size(); asked > most) {
    return InvalidArgument(v1::BATCH_TOO_LARGE,
                           absl::StrCat("the request names ", asked, " settings; the limit is the ",
                                        most, " that there are"),
                           {{"limit", absl::StrCat(most)}, {"size", absl::StrCat(asked)}});
  }
  for (const std::string& name : request.names()) {
    const Flag* const flag = FindFlag(name);
    if (flag == nullptr) return UnknownSetting(name);
    *response->add_settings() = ToMessage(*flag, now, in_force);
  }
  if (!request.names().empty()) return absl::OkStatus();
  for (const Flag& flag : AllFlags()) *response->add_settings() = ToMessage(flag, now, in_force);
  return absl::OkStatus();
}

absl::Status LiveSettings::SetConfig(const v1::SetConfigRequest& request,
                                     v1::SetConfigResponse* response) {
  const std::string& name = request.name();
  const Flag* const flag = FindFlag(name);
  if (flag == nullptr) return UnknownSetting(name);
  if (!flag->changeable) {
    return MakeError(
        absl::StatusCode::kFailedPrecondition, v1::SETTING_FIXED,
        absl::StrCat(name, " needs a restart, with ", FlagName(name), "=VALUE or ",
                     EnvironmentName(name), "; a running server can change ", ChangeableNames()));
  }
  if (request.value().size() > kMaxSettingBytes) {
    return InvalidArgument(v1::SETTING_INVALID,
                           absl::StrCat(name, ": the value has ", request.value().size(),
                                        " bytes; the limit is ", kMaxSettingBytes),
                           {{"limit", absl::StrCat(kMaxSettingBytes)}});
  }
  MutexLock lock(&mutex_);
  FlagValues flags = settings_.flags;
  flags[name] = {request.value(), FlagSource::kCall};
  absl::StatusOr<Settings> changed = ReadSettings(flags, settings_.machine);
  if (!changed.ok()) {
    return InvalidArgument(v1::SETTING_INVALID, std::string(changed.status().message()));
  }
  if (name == "max-memory") {
    if (absl::Status status = CheckMemory(changed->max_memory_bytes); !status.ok()) return status;
  }
  // What names of hosts stand for is asked at the start only, as it may take a while.
  changed->exposed = settings_.exposed;
  if (const std::optional<std::string> warning = ExposureWarning(*changed); warning.has_value())
    changed->warnings.insert(changed->warnings.begin(), *warning);
  response->set_previous_value(settings_.flags[name].text);
  spdlog::info("setting {} changed from {} ({}) to {} ({})", name, settings_.flags[name].text,
               InForce(settings_)[name], request.value(), InForce(*changed)[name]);
  settings_ = *changed;
  ++changes_[name];
  TakeEffect(name);
  for (const std::string& warning : settings_.warnings) {
    spdlog::warn("{}", warning);
    response->add_warnings(warning);
  }
  *response->mutable_setting() = ToMessage(*flag, settings_, InForce(settings_));
  return absl::OkStatus();
}

absl::Status LiveSettings::CheckMemory(uint64_t bytes) const {
  // Up to a whole MiB, so that it can be said, and asked for, without a fraction.
  const uint64_t least_mib = (least_memory_bytes_() + kMiB - 1) / kMiB;
  if (bytes == 0 || bytes >= least_mib * kMiB) return absl::OkStatus();
  return InvalidArgument(
      v1::SETTING_INVALID,
      absl::StrCat(
          "max-memory: ", RenderBytes(bytes),
          " are too few for the shards and tables that the store has by now; the least is ",
          least_mib, "MiB"),
      {{"limit", absl::StrCat(least_mib * kMiB)}});
}

void LiveSettings::TakeEffect(std::string_view name) {
  if (name == "max-memory") effects_.max_memory(settings_.max_memory_bytes);
  if (name == "slowlog-threshold") effects_.slowlog_threshold(settings_.slowlog_threshold);
  if (name == "log-level") effects_.log_level(settings_.log_level);
}

void LiveSettings::Describe(v1::InfoResponse* response) const {
  const Settings now = Now();
  for (const auto& [name, value] : now.flags) (*response->mutable_settings())[name] = value.text;
  response->set_available_memory_bytes(now.machine.memory_bytes.amount);
  response->set_available_memory_source(now.machine.memory_bytes.source);
  for (const std::string& warning : now.warnings) response->add_warnings(warning);
}

Settings LiveSettings::Now() const {
  MutexLock lock(&mutex_);
  Settings now = settings_;
  if (shards_.has_value()) now.shards = *shards_;
  if (most_connections_.has_value() && *most_connections_ < now.max_connections) {
    now.warnings.push_back(TooFewDescriptors(*most_connections_, now.max_connections));
    now.max_connections = *most_connections_;
  }
  return now;
}

void LiveSettings::LimitConnections(size_t connections) {
  MutexLock lock(&mutex_);
  most_connections_ = connections;
  if (connections < settings_.max_connections)
    spdlog::warn("{}", TooFewDescriptors(connections, settings_.max_connections));
}

void LiveSettings::TellShards(size_t shards) {
  MutexLock lock(&mutex_);
  shards_ = shards;
}

std::map<std::string, uint64_t> LiveSettings::Changes() const {
  std::map<std::string, uint64_t> changes;
  for (const Flag& flag : AllFlags()) {
    if (flag.changeable) changes[std::string(flag.name)] = 0;
  }
  MutexLock lock(&mutex_);
  for (const auto& [name, count] : changes_) changes[name] = count;
  return changes;
}

}  // namespace ferrite
