#include "server/auth/loaded_policy.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/auth/denial.h"
#include "server/auth/sha256.h"

namespace ferrite {
namespace {

constexpr char kAuthorization[] = "authorization";
constexpr std::string_view kBearer = "bearer ";

// The token of "Bearer TOKEN"; absent if the metadata is something else.
std::optional<std::string_view> TokenIn(std::string_view authorization) {
  if (authorization.size() <= kBearer.size()) return std::nullopt;
  const std::string_view scheme = authorization.substr(0, kBearer.size());
  if (!absl::EqualsIgnoreCase({scheme.data(), scheme.size()}, {kBearer.data(), kBearer.size()})) {
    return std::nullopt;
  }
  return authorization.substr(kBearer.size());
}

// Looks at all of two texts of one size, so that the time it takes tells nothing of where they
// differ. By words, as CRYPTO_memcmp takes half a microsecond for the bytes of a token.
bool AreSame(std::string_view one, std::string_view other) {
  uint64_t difference = 0;
  size_t at = 0;
  for (; at + sizeof(uint64_t) <= one.size(); at += sizeof(uint64_t)) {
    uint64_t words[2];
    std::memcpy(&words[0], one.data() + at, sizeof(uint64_t));
    std::memcpy(&words[1], other.data() + at, sizeof(uint64_t));
    difference |= words[0] ^ words[1];
  }
  for (; at < one.size(); ++at) {
    difference |= static_cast<unsigned char>(one[at]) ^ static_cast<unsigned char>(other[at]);
  }
  return difference == 0;
}

std::string Principal(std::string_view kind, std::string_view name) {
  return std::string(kind).append(name);
}

}  // namespace

Identity LoadedPolicy::Identify(const Caller& caller) const {
  Identity who = InHome(caller);
  if (caller.HasMetadata(kNamespaceMetadata)) [[unlikely]] {
    // Of several nobody knows which is meant.
    const std::optional<std::string_view> named = caller.Metadata(kNamespaceMetadata);
    if (!named.has_value()) {
      who.rights = &none_;
    } else if (who.problem.ok()) {
      Enter(*named, &who);
    }
  }
  return who;
}

void LoadedPolicy::Enter(std::string_view name, Identity* who) const {
  if (who->own_rights != nullptr) {
    // A disposable token is for the namespace that its principal is at home in.
    if (NamespaceOf(name) != who->name_space) who->rights = &none_;
    return;
  }
  who->rights = &policy_.RightsIn(name, who->principal);
  who->name_space = NamespaceOf(name);
}

const std::string* LoadedPolicy::NamespaceOf(std::string_view name) const {
  if (name == kDefaultNamespace) return nullptr;
  const auto found = namespaces_.find(absl::string_view(name.data(), name.size()));
  return found == namespaces_.end() ? UnknownNamespace() : found->second;
}

Identity LoadedPolicy::InHome(const Caller& caller) const {
  const CertificateNames names = caller.certificate_names();
  if (!names.uris.empty() || !names.dns.empty()) return OfCertificate(names);
  const std::optional<std::string_view> authorization = caller.Metadata(kAuthorization);
  if (authorization.has_value()) return OfAuthorization(*authorization);
  // Of several nobody knows which is meant.
  if (caller.HasMetadata(kAuthorization)) return Nobody(CredentialInvalid());
  return OfPrincipal(std::string(policy::kAnonymous), CredentialKind::kNone);
}

bool LoadedPolicy::SameAs(const LoadedPolicy& other) const {
  const auto id_of = [](const LoadedPolicy& each) {
    return each.signer() == nullptr ? std::string() : each.signer()->id();
  };
  return policy_.rules() == other.policy_.rules() && id_of(*this) == id_of(other) &&
         std::equal(issuers_.begin(), issuers_.end(), other.issuers_.begin(), other.issuers_.end(),
                    [](const KnownIssuer& one, const KnownIssuer& another) {
                      return SameKeys(one.keys, another.keys);
                    });
}

Identity LoadedPolicy::OfAuthorization(std::string_view authorization) const {
  // Most callers come again: then one comparison, which takes as long whatever is right of it, is
  // enough.
  struct Seen {
    uint64_t policy = 0;
    std::string authorization;
    Identity who;
  };
  constexpr size_t kPlaces = 16;
  thread_local std::array<Seen, kPlaces> seen;
  const absl::string_view text(authorization.data(), authorization.size());
  Seen& place = seen[absl::Hash<absl::string_view>{}(text) % kPlaces];
  if (place.policy == number_ && place.authorization.size() == authorization.size() &&
      AreSame(place.authorization, authorization) &&
      (place.who.expires == Identity::WallClock::time_point::max() ||
       place.who.expires > Identity::WallClock::now())) {
    return place.who;
  }
  const std::optional<std::string_view> token = TokenIn(authorization);
  Identity who = token.has_value() ? OfToken(*token) : Nobody(CredentialInvalid());
  if (who.problem.ok()) place = {number_, std::string(authorization), who};
  return who;
}

Identity LoadedPolicy::OfPrincipal(std::string principal, CredentialKind kind) const {
  Identity who;
  who.rights = &policy_.RightsOf(principal);
  if (!policy_.rules().homes.empty()) who.name_space = NamespaceOf(policy_.HomeOf(principal));
  who.principal = std::move(principal);
  who.kind = kind;
  return who;
}

Identity LoadedPolicy::OfCertificate(const CertificateNames& names) const {
  // A certificate may have many names: the first that the policy knows is meant.
  std::string first;
  const auto pick = [&](std::string_view kind, const std::vector<std::string_view>& of_kind) {
    for (const std::string_view name : of_kind) {
      std::string principal = Principal(kind, name);
      const bool is_bound = policy_.Binds(principal);
      if (is_bound || first.empty()) first = std::move(principal);
      if (is_bound) return true;
    }
    return false;
  };
  if (!pick(policy::kUriKind, names.uris)) pick(policy::kDnsKind, names.dns);
  return OfPrincipal(std::move(first), CredentialKind::kCertificate);
}

Identity LoadedPolicy::OfToken(std::string_view token) const {
  const policy::Digest sha256 = Sha256(token);
  if (const std::string* const principal = tokens_.Find(sha256); principal != nullptr) {
    return OfPrincipal(*principal, CredentialKind::kToken);
  }
  if (issuers_.empty() || !LooksLikeJwt(token)) return Nobody(CredentialInvalid());
  return OfJwt(token, sha256);
}

Identity LoadedPolicy::OfJwt(std::string_view token, const policy::Digest& sha256) const {
  const auto now = Identity::WallClock::now();
  std::optional<JwtBearer> bearer = verified_.Find(sha256);
  if (!bearer.has_value()) {
    bearer.emplace();
    const absl::Status status = VerifyJwt(token, issuers_, now, &*bearer);
    if (bearer->principal.empty()) return Nobody(status);
    if (bearer->only != nullptr) {
      bearer->rights = std::make_shared<const policy::Rights>(
          policy::Rights::PartOf(&policy_.RightsOf(bearer->principal), *bearer->only));
      bearer->only.reset();
    }
    verified_.Add(sha256, *bearer, now);
  }
  if (bearer->expires <= now) return Nobody(CredentialExpired());
  Identity who = OfPrincipal(std::move(bearer->principal), CredentialKind::kJwt);
  if (bearer->rights != nullptr) {
    who.kind = CredentialKind::kDisposable;
    who.own_rights = std::move(bearer->rights);
    who.rights = who.own_rights.get();
  }
  who.expires = bearer->expires;
  return who;
}

Identity LoadedPolicy::Nobody(const absl::Status& problem) const {
  Identity who;
  who.problem = problem;
  who.rights = &none_;
  return who;
}

}  // namespace ferrite
