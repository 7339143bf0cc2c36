#pragma once

// A policy with what it takes to find out who calls.

#include <memory>
#include <string>
#include <string_view>

#include "server/auth/identity.h"
#include "server/auth/static_tokens.h"
#include "server/call/caller.h"
#include "server/policy/policy.h"

namespace ferrite {

// Immutable. Thread-safe.
class LoadedPolicy {
 public:
  explicit LoadedPolicy(policy::PolicyRules rules)
      : policy_(std::move(rules)), tokens_(policy_.rules()) {}
  // Denies everything.
  LoadedPolicy() : LoadedPolicy(policy::PolicyRules()) {}

  // Who calls, by the first that applies: a name in the certificate of the connection, the bearer
  // of a token; else nobody in particular.
  Identity Identify(const Caller& caller) const;

  const policy::Policy& policy() const { return policy_; }

 private:
  Identity OfPrincipal(std::string principal, CredentialKind kind) const;
  Identity OfCertificate(const CertificateNames& names) const;
  Identity OfToken(std::string_view token) const;
  Identity Nobody(const absl::Status& problem) const;

  const policy::Policy policy_;
  const StaticTokens tokens_;
  const policy::Rights none_;
};

}  // namespace ferrite
