#include "server/auth/disposable_token.h"

#include <openssl/rand.h>

#include <array>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "nlohmann/json.hpp"
#include "server/auth/base64url.h"

namespace ferrite {
namespace {

using nlohmann::json;
using policy::Role;
using policy::Verb;
using policy::Verbs;

constexpr char kOurs[] = "ferrite:disposable";
constexpr char kMay[] = "may";

std::string NewId() {
  std::array<unsigned char, 12> bytes;
  FERRITE_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  return EncodeBase64Url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

int64_t Seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

// Names are bytes, and JSON has only text.
json Encoded(const std::vector<std::string>& names) {
  json list = json::array();
  for (const std::string& name : names) list.push_back(EncodeBase64Url(name));
  return list;
}

bool Decode(const json& may, const char* member, std::vector<std::string>* names) {
  const auto list = may.find(member);
  if (list == may.end() || !list->is_array()) return false;
  for (const json& each : *list) {
    const std::optional<std::string> name =
        each.is_string() ? DecodeBase64Url(each.get<std::string>()) : std::nullopt;
    if (!name.has_value()) return false;
    names->push_back(*name);
  }
  return true;
}

std::string Part(const json& object) {
  // A name that is no text becomes that of nobody.
  return EncodeBase64Url(object.dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace

policy::Issuer OwnIssuer() {
  return {.name = "", .issuer = kOurs, .audience = kOurs, .jwks_file = ""};
}

std::string MakeDisposableToken(const DisposableClaims& claims, const TokenSigner& signer,
                                std::chrono::system_clock::time_point now) {
  const json header = {{"alg", "EdDSA"}, {"typ", "JWT"}, {"kid", signer.id()}};
  const json payload = {{"iss", kOurs},
                        {"aud", kOurs},
                        {"sub", claims.principal},
                        {"jti", NewId()},
                        {"iat", Seconds(now)},
                        {"exp", Seconds(claims.expires)},
                        {kMay,
                         {{"verbs", NamesOf(claims.may.verbs)},
                          {"key_prefixes", Encoded(claims.may.key_prefixes)},
                          {"channels", Encoded(claims.may.channels)},
                          {"channel_prefixes", Encoded(claims.may.channel_prefixes)}}}};
  const std::string text = absl::StrCat(Part(header), ".", Part(payload));
  return absl::StrCat(text, ".", EncodeBase64Url(signer.Sign(text)));
}

std::optional<Role> MayOf(const json& claims) {
  const auto may = claims.find(kMay);
  if (may == claims.end() || !may->is_object()) return std::nullopt;
  const auto verbs = may->find("verbs");
  if (verbs == may->end() || !verbs->is_array()) return std::nullopt;
  Role role;
  for (const json& each : *verbs) {
    const std::string name = each.is_string() ? each.get<std::string>() : "";
    const std::optional<policy::Verb> verb = policy::VerbNamed(name);
    if (!verb.has_value()) return std::nullopt;
    role.verbs |= *verb;
  }
  role.verbs = role.verbs & (policy::kVerbsOfKeys | policy::kVerbsOfChannels);
  if (!Decode(*may, "key_prefixes", &role.key_prefixes) ||
      !Decode(*may, "channels", &role.channels) ||
      !Decode(*may, "channel_prefixes", &role.channel_prefixes)) {
    return std::nullopt;
  }
  return role;
}

}  // namespace ferrite
