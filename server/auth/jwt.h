#pragma once

// Tokens that an issuer has signed: JSON Web Tokens (RFC 7519), as OpenID Connect and Kubernetes
// give them out. They are verified without asking anybody.

#include <chrono>
#include <memory>
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
  // The cluster itself, whose tokens are for a part of what their principals may do.
  bool is_own = false;
};

// What a token says of its bearer.
struct JwtBearer {
  std::string principal;  // NAME:SUBJECT, or as the cluster itself has written it
  std::chrono::system_clock::time_point expires;
  // Of a token of the cluster itself: what it allows at most.
  std::shared_ptr<const policy::Role> only;
  // That, of what its principal may do: by whoever knows the policy.
  std::shared_ptr<const policy::Rights> rights;
};

// gRPC takes no more metadata than half of this.
inline constexpr size_t kMaxJwtBytes = size_t{16} << 10;
inline constexpr size_t kMaxSubjectBytes = 1024;
// How far the clocks of an issuer and of this machine may be apart.
inline constexpr std::chrono::seconds kJwtLeeway{30};

// Whether a text has the form of a token, so that it is worth a look.
bool LooksLikeJwt(std::string_view text);

// Fills in `*bearer`. UNAUTHENTICATED: CREDENTIALS_INVALID for whatever is not signed by one of the
// issuers' keys for their audience, is not valid yet, or says nothing of when it ends;
// CREDENTIALS_EXPIRED for what was such a token, whose bearer is filled in as well. Computes one
// signature at most: of the key that the token names by `kid`, or of the only one of its algorithm.
absl::Status VerifyJwt(std::string_view token, const std::vector<KnownIssuer>& issuers,
                       std::chrono::system_clock::time_point now, JwtBearer* bearer);

}  // namespace ferrite
