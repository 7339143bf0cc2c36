#pragma once

// Who may do what: roles, and who is bound to which. Whatever no role allows is denied; no rule
// takes anything away, so their order means nothing.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "oneapi/tbb/concurrent_hash_map.h"
#include "server/policy/rights.h"
#include "server/policy/verb.h"

namespace ferrite::policy {

// The principal of a caller that shows no credential.
inline constexpr std::string_view kAnonymous = "anonymous";
// What stands before the name of a static token, and before those of certificates, in a principal.
inline constexpr std::string_view kTokenKind = "token:";
inline constexpr std::string_view kUriKind = "uri:";
inline constexpr std::string_view kDnsKind = "dns:";

// Verbs on some keys and channels.
struct Role {
  std::vector<std::string> keys;
  std::vector<std::string> key_prefixes;  // an empty one: every key
  std::vector<std::string> channels;
  std::vector<std::string> channel_prefixes;
  Verbs verbs;
};

// The SHA-256 of a token.
using Digest = std::array<uint8_t, 32>;

// Who issues tokens that name their bearers (JWT).
struct Issuer {
  std::string name;  // stands before the subject of its tokens, in a principal: "NAME:SUBJECT"
  std::string issuer;
  std::string audience;
  std::string jwks_file;
};

// What a policy file says. Checked: every role that is named is there.
struct PolicyRules {
  std::vector<Role> roles;
  std::vector<std::string> role_names;                               // of each
  absl::flat_hash_map<std::string, std::vector<uint32_t>> bindings;  // to places in `roles`
  std::map<Digest, std::string> tokens;                              // to principals
  std::vector<Issuer> issuers;
};

// Rules that are being asked. Immutable; thread-safe.
class Policy {
 public:
  explicit Policy(PolicyRules rules) : rules_(std::move(rules)) {}
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  // What the principal may do; stays where it is as long as the policy. Made when it is asked for
  // first, as a policy may have many more principals than ever call.
  const Rights& RightsOf(std::string_view principal) const;
  bool Binds(std::string_view principal) const;
  // Calls visit(name, role) for each role that a principal is bound to.
  void ForEachRoleOf(
      std::string_view principal,
      absl::FunctionRef<void(const std::string& name, const Role& role)> visit) const;
  // Their names.
  std::vector<std::string> RolesOf(std::string_view principal) const;

  const PolicyRules& rules() const { return rules_; }

 private:
  using Made = tbb::concurrent_hash_map<std::string, std::unique_ptr<const Rights>>;

  const PolicyRules rules_;
  const Rights none_;
  mutable Made made_;  // nothing is ever taken out
};

}  // namespace ferrite::policy
