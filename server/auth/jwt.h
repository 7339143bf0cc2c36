#pragma once

// Tokens that an issuer has signed: JSON Web Tokens (RFC 7519), as OpenID Connect and Kubernetes
// give them out. They are verified without asking anybody.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "server/auth/signing_keys.h"
#include "server/policy/policy.h"

namespace ferrite {

// An issuer with its keys of this moment.
struct KnownIssuer {
  policy::Issuer issuer;
  std::vector<SigningKey> keys;
};

// What a token says of its bearer.
struct JwtBearer {
  std::string principal;  // NAME:SUBJECT
  std::chrono::system_clock::time_point expires;
};

// gRPC takes no more metadata than half of this.
inline constexpr size_t kMaxJwtBytes = size_t{16} << 10;
// How far the clocks of an issuer and of this machine may be apart.
inline constexpr std::chrono::seconds kJwtLeeway{30};

// Whether a text has the form of a token, so that it is worth a look.
bool LooksLikeJwt(std::string_view text);

// Fills in `*bearer`. UNAUTHENTICATED: CREDENTIALS_INVALID for whatever is not signed by one of the
// issuers' keys for their audience, is not valid yet, or says nothing of when it ends;
// CREDENTIALS_EXPIRED for what was such a token.
absl::Status VerifyJwt(std::string_view token, const std::vector<KnownIssuer>& issuers,
                       std::chrono::system_clock::time_point now, JwtBearer* bearer);

}  // namespace ferrite
