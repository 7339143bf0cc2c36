#pragma once

// Who may do what: roles, and who is bound to which. Whatever no role allows is denied; no rule
// takes anything away, so their order means nothing.

#include <algorithm>
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
#include "server/policy/namespace_rules.h"
#include "server/policy/rights.h"
#include "server/policy/verb.h"

namespace ferrite::policy {

// The principal of a caller that shows no credential.
inline constexpr std::string_view kAnonymous = "anonymous";
// What stands before the name of a static token, and before those of certificates, in a principal.
inline constexpr std::string_view kTokenKind = "token:";
inline constexpr std::string_view kUriKind = "uri:";
inline constexpr std::string_view kDnsKind = "dns:";

// In a role: all namespaces.
inline constexpr std::string_view kAllNamespaces = "*";

// Verbs on some keys and channels.
struct Role {
  // Where it holds. Empty: in the home of whoever is bound to it.
  std::vector<std::string> namespaces;
  std::vector<std::string> keys;
  std::vector<std::string> key_prefixes;  // an empty one: every key
  std::vector<std::string> channels;
  std::vector<std::string> channel_prefixes;
  Verbs verbs;
  // Who has it sees hashes in place of names, and no values, in Scan, SlowLog and events: the one
  // thing by which a role takes something away.
  bool redacted = false;

  // Whether it holds in a namespace, for somebody whose home is there or elsewhere.
  bool HoldsIn(std::string_view name_space, std::string_view home) const {
    if (namespaces.empty()) return name_space == home;
    return std::any_of(namespaces.begin(), namespaces.end(), [name_space](const std::string& at) {
      return at == name_space || at == kAllNamespaces;
    });
  }

  bool operator==(const Role&) const = default;
};

// The SHA-256 of a token.
using Digest = std::array<uint8_t, 32>;

// Who issues tokens that name their bearers (JWT).
struct Issuer {
  std::string name;  // stands before the subject of its tokens, in a principal: "NAME:SUBJECT"
  std::string issuer;
  std::string audience;
  std::string jwks_file;

  bool operator==(const Issuer&) const = default;
};

// What a policy file says. Checked: every role that is named is there.
struct PolicyRules {
  std::vector<Role> roles;
  std::vector<std::string> role_names;                               // of each
  absl::flat_hash_map<std::string, std::vector<uint32_t>> bindings;  // to places in `roles`
  std::map<Digest, std::string> tokens;                              // to principals
  std::vector<Issuer> issuers;
  std::vector<NamespaceRules> namespaces;               // default is none of them
  absl::flat_hash_map<std::string, std::string> homes;  // of principals, where not default

  bool operator==(const PolicyRules&) const = default;
};

// Rules that are being asked. Immutable; thread-safe.
class Policy {
 public:
  explicit Policy(PolicyRules rules) : rules_(std::move(rules)) {}
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  // What the principal may do in its home; stays where it is as long as the policy. Made when it is
  // asked for first, as a policy may have many more principals than ever call.
  const Rights& RightsOf(std::string_view principal) const;
  // The same in any namespace, whether there is one of that name or not.
  const Rights& RightsIn(std::string_view name_space, std::string_view principal) const;
  // The namespace that calls of the principal are about which name none.
  std::string_view HomeOf(std::string_view principal) const;
  bool HasNamespace(std::string_view name) const;
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

  const Rights& Make(std::string_view name_space, std::string_view principal,
                     std::string place_name) const;

  const PolicyRules rules_;
  const Rights none_;
  mutable Made made_;  // by principals, or namespaces and principals; nothing is ever taken out
};

}  // namespace ferrite::policy
