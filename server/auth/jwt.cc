#include "server/auth/jwt.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/strings/match.h"
#include "nlohmann/json.hpp"
#include "server/auth/base64url.h"
#include "server/auth/denial.h"
#include "server/auth/disposable_token.h"

namespace ferrite {
namespace {

using nlohmann::json;
using Clock = std::chrono::system_clock;

// Until when a clock can count.
constexpr double kLastSecond = 9e9;  // in the year 2255

struct Parts {
  std::string_view signed_text;  // header and payload, as they were signed
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
};

std::optional<Parts> Split(std::string_view token) {
  const size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return Parts{.signed_text = token.substr(0, second),
               .header = token.substr(0, first),
               .payload = token.substr(first + 1, second - first - 1),
               .signature = token.substr(second + 1)};
}

// A part that is an object; otherwise it is discarded (json::is_discarded).
json Object(std::string_view part) {
  const std::optional<std::string> text = DecodeBase64Url(part);
  if (!text.has_value()) return json(json::value_t::discarded);
  json object = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  return object.is_object() ? object : json(json::value_t::discarded);
}

std::string Text(const json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : "";
}

// A time in seconds; absent if there is none, or it is no time.
std::optional<Clock::time_point> Time(const json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_number()) return std::nullopt;
  const double seconds = member->get<double>();
  if (!std::isfinite(seconds) || seconds < 0) return std::nullopt;
  return Clock::time_point(std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(std::min(seconds, kLastSecond))));
}

bool IsFor(const json& claims, const std::string& audience) {
  const auto member = claims.find("aud");
  if (member == claims.end()) return false;
  if (member->is_string()) return member->get<std::string>() == audience;
  return member->is_array() && std::any_of(member->begin(), member->end(), [&](const json& each) {
           return each.is_string() && each.get<std::string>() == audience;
         });
}

// Whether tokens of the type are for showing who one is; others of the same issuer are not.
bool IsOfType(const json& header) {
  if (!header.contains("typ")) return true;
  const std::string type = Text(header, "typ");
  for (const char* ours : {"JWT", "at+jwt", "application/at+jwt"}) {
    if (absl::EqualsIgnoreCase(type, ours)) return true;
  }
  return false;
}

const KnownIssuer* IssuerOf(const json& claims, const std::vector<KnownIssuer>& issuers) {
  const std::string name = Text(claims, "iss");
  const auto found = std::find_if(issuers.begin(), issuers.end(), [&](const KnownIssuer& each) {
    return each.issuer.issuer == name;
  });
  return found == issuers.end() ? nullptr : &*found;
}

// The one key that can have signed a token with that header; null if there is none, or nobody could
// tell which: a token must not have the server try one key after the other. The key says how it
// signs, and not the token.
const SigningKey* KeyFor(const json& header, const std::vector<SigningKey>& keys) {
  const std::optional<SigningAlgorithm> algorithm = AlgorithmOf(Text(header, "alg"));
  // What is critical would have to be understood, and there is nothing that is.
  if (!algorithm.has_value() || header.contains("crit")) return nullptr;
  const bool names_key = header.contains("kid");
  const std::string id = Text(header, "kid");
  if (names_key && id.empty()) return nullptr;
  const SigningKey* only = nullptr;
  for (const SigningKey& key : keys) {
    if (key.algorithm() != *algorithm || (names_key && key.id() != id)) continue;
    if (only != nullptr) return nullptr;
    only = &key;
  }
  return only;
}

}  // namespace

bool LooksLikeJwt(std::string_view text) {
  return text.size() <= kMaxJwtBytes && text.starts_with("eyJ") && Split(text).has_value();
}

absl::Status VerifyJwt(std::string_view token, const std::vector<KnownIssuer>& issuers,
                       Clock::time_point now, JwtBearer* bearer) {
  if (token.size() > kMaxJwtBytes) return CredentialInvalid();
  const std::optional<Parts> parts = Split(token);
  if (!parts.has_value()) return CredentialInvalid();
  const json header = Object(parts->header);
  const json claims = Object(parts->payload);
  if (header.is_discarded() || claims.is_discarded()) return CredentialInvalid();
  // All that costs little comes before the signature. What it says stays untold: that a token is
  // over is told only of one that was good.
  const KnownIssuer* const issuer = IssuerOf(claims, issuers);
  if (issuer == nullptr || !IsOfType(header) || !IsFor(claims, issuer->issuer.audience)) {
    return CredentialInvalid();
  }
  const std::string subject = Text(claims, "sub");
  const std::optional<Clock::time_point> expires = Time(claims, "exp");
  const bool has_beginning = claims.contains("nbf");
  const std::optional<Clock::time_point> begins = Time(claims, "nbf");
  if (subject.empty() || subject.size() > kMaxSubjectBytes || !expires.has_value() ||
      (has_beginning && (!begins.has_value() || now + kJwtLeeway < *begins))) {
    return CredentialInvalid();
  }
  const SigningKey* const key = KeyFor(header, issuer->keys);
  const std::optional<std::string> signature = DecodeBase64Url(parts->signature);
  if (key == nullptr || !signature.has_value() || !key->HasSigned(parts->signed_text, *signature)) {
    return CredentialInvalid();
  }
  if (issuer->is_own) {
    std::optional<policy::Role> only = MayOf(claims);
    if (!only.has_value()) return CredentialInvalid();
    bearer->only = std::make_shared<const policy::Role>(*std::move(only));
  }
  bearer->principal = issuer->is_own ? subject : issuer->issuer.name + ":" + subject;
  bearer->expires = *expires + kJwtLeeway;
  return now < bearer->expires ? absl::OkStatus() : CredentialExpired();
}

}  // namespace ferrite
