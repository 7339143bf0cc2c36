#include "server/settings/exposure.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/net/tcp_targets.h"

namespace ferrite {
namespace {

// The flag and one of its addresses.
std::string SpelledListener(const Settings& settings, std::string_view flag,
                            const Address& address) {
  const auto value = settings.flags.find(flag);
  const bool is_variable =
      value != settings.flags.end() && value->second.source == FlagSource::kEnvironment;
  return absl::StrCat(is_variable ? EnvironmentName(flag) : FlagName(flag), "=",
                      address.ToString());
}

std::string Missing(const Settings& settings) {
  std::vector<std::string> missing;
  if (!settings.tls.on()) missing.emplace_back("no TLS (--tls-cert, --tls-key)");
  if (settings.policy_file.empty()) missing.emplace_back("no policy (--policy)");
  return absl::StrJoin(missing, " and ");
}

// What it means that this is missing.
std::string Consequence(const Settings& settings) {
  if (settings.tls.on()) return "everybody who may connect may read and change everything";
  return settings.policy_file.empty()
             ? "everybody who reaches it may read and change everything"
             : "everybody on the way may read what passes, tokens included";
}

}  // namespace

std::vector<std::string> ExposedListeners(const Settings& settings) {
  std::vector<std::string> exposed;
  const auto look_at = [&](std::string_view flag, const std::vector<Address>& addresses) {
    for (const Address& address : addresses)
      if (LeadsBeyondLoopback(address)) exposed.push_back(SpelledListener(settings, flag, address));
  };
  look_at("listen", settings.listen);
  look_at("http-listen", settings.http_listen);
  look_at("admin-listen", settings.admin_listen);
  if (settings.cluster.internal_listen.has_value())
    look_at("internal-listen", {*settings.cluster.internal_listen});
  return exposed;
}

bool IsInsecure(const Settings& settings) {
  return !settings.exposed.empty() && (!settings.tls.on() || settings.policy_file.empty());
}

absl::Status CheckExposure(const Settings& settings) {
  if (!IsInsecure(settings) || settings.insecure) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      absl::StrJoin(settings.exposed, ", "), ": other machines can reach this, and there is ",
      Missing(settings),
      ". Set what is missing, as docs/security.md shows; or listen on loopback "
      "(127.0.0.1:6380) or a Unix domain socket only; or say --insecure (FERRITE_INSECURE=yes) if ",
      Consequence(settings)));
}

std::optional<std::string> ExposureWarning(const Settings& settings) {
  if (!IsInsecure(settings)) return std::nullopt;
  return absl::StrCat("insecure: other machines can reach ", absl::StrJoin(settings.exposed, ", "),
                      ", and there is ", Missing(settings), ": ", Consequence(settings));
}

}  // namespace ferrite
