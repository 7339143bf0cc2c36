#pragma once

// The keys of a cluster for tokens that it gives out itself: the same on all of its nodes.

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/auth/signing_keys.h"

namespace ferrite {

// Signs with Ed25519. Thread-safe.
class TokenSigner {
 public:
  TokenSigner(std::string id, SigningKey::Key key) : id_(std::move(id)), key_(std::move(key)) {}

  const std::string& id() const { return id_; }
  // 64 bytes.
  std::string Sign(std::string_view text) const;

 private:
  std::string id_;
  SigningKey::Key key_;
};

struct TokenKeys {
  TokenSigner signer;
  std::vector<SigningKey> accepted;  // that of the signer among them
};

// More than enough for a change of keys.
inline constexpr size_t kMostTokenKeys = 16;

// Reads a text in PEM: private keys (PRIVATE KEY), of which the first signs, and public ones
// (PUBLIC KEY). Tokens by any of them are accepted. Ids are hashes of the public keys.
// INVALID_ARGUMENT with `name` and the reason if there is something else in it, or no private key.
absl::StatusOr<TokenKeys> ReadTokenKeys(std::string_view text, const std::string& name);

}  // namespace ferrite
