#pragma once

// A policy with what it takes to find out who calls.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/auth/identity.h"
#include "server/auth/jwt.h"
#include "server/auth/static_tokens.h"
#include "server/auth/token_keys.h"
#include "server/auth/verified_tokens.h"
#include "server/call/caller.h"
#include "server/call/namespace_name.h"
#include "server/policy/policy.h"

namespace ferrite {

// Immutable. Thread-safe.
class LoadedPolicy {
 public:
  explicit LoadedPolicy(policy::PolicyRules rules, std::vector<KnownIssuer> issuers = {},
                        std::optional<TokenSigner> signer = std::nullopt)
      : policy_(std::move(rules)),
        tokens_(policy_.rules()),
        issuers_(std::move(issuers)),
        signer_(std::move(signer)) {
    for (const policy::NamespaceRules& each : policy_.rules().namespaces)
      namespaces_.emplace(each.name, NamespaceName(each.name));
  }
  // Denies everything.
  LoadedPolicy() : LoadedPolicy(policy::PolicyRules()) {}

  // Who calls, by the first that applies: a name in the certificate of the connection, the bearer
  // of a token; else nobody in particular. And in which namespace: the one that the call names, or
  // else that of the binding.
  Identity Identify(const Caller& caller) const;

  const policy::Policy& policy() const { return policy_; }
  // What signs disposable tokens; null: there are none.
  const TokenSigner* signer() const { return signer_.has_value() ? &*signer_ : nullptr; }
  // No two of this process have the same, also when one is gone.
  uint64_t number() const { return number_; }
  // Whether it decides everything as the other does. For policies that were read from files.
  bool SameAs(const LoadedPolicy& other) const;

 private:
  Identity InHome(const Caller& caller) const;
  const std::string* NamespaceOf(std::string_view name) const;
  // Has the identity be in the namespace that is named.
  void Enter(std::string_view name, Identity* who) const;
  Identity OfPrincipal(std::string principal, CredentialKind kind) const;
  Identity OfCertificate(const CertificateNames& names) const;
  Identity OfAuthorization(std::string_view authorization) const;
  Identity OfToken(std::string_view token) const;
  Identity OfJwt(std::string_view token, const policy::Digest& sha256) const;
  Identity Nobody(const absl::Status& problem) const;

  static inline std::atomic<uint64_t> last_number_{0};
  const uint64_t number_ = ++last_number_;
  const policy::Policy policy_;
  absl::flat_hash_map<std::string, const std::string*> namespaces_;  // with their places
  const StaticTokens tokens_;
  const std::vector<KnownIssuer> issuers_;
  const std::optional<TokenSigner> signer_;
  mutable VerifiedTokens verified_;
  const policy::Rights none_;
};

}  // namespace ferrite
