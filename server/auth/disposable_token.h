#pragma once

// Tokens that a cluster gives out to whoever has rights, for a part of them and for a short time:
// JSON Web Tokens of its own. Such a token names the principal that asked for it, so whatever that
// loses the token loses as well.

#include <chrono>
#include <optional>
#include <string>

#include "nlohmann/json_fwd.hpp"
#include "server/auth/token_keys.h"
#include "server/policy/policy.h"

namespace ferrite {

inline constexpr std::chrono::seconds kLeastTokenTime{1};
inline constexpr std::chrono::hours kMostTokenTime{1};
// Of the names in one: with them it stays below what gRPC takes of metadata.
inline constexpr size_t kMostTokenNames = 32;
inline constexpr size_t kMostTokenNameBytes = 2048;

// Stands for an issuer of a policy.
policy::Issuer OwnIssuer();

struct DisposableClaims {
  std::string principal;  // that asked for it
  policy::Role may;       // key_prefixes, channels, channel_prefixes and verbs
  std::chrono::system_clock::time_point expires;
};

// The text of a token, each time another one.
std::string MakeDisposableToken(const DisposableClaims& claims, const TokenSigner& signer,
                                std::chrono::system_clock::time_point now);

// What a token with these claims, whose signature is good, allows at most. Absent: nothing that
// this server knows.
std::optional<policy::Role> MayOf(const nlohmann::json& claims);

}  // namespace ferrite
