#pragma once

// The public keys of an issuer of tokens, as a JSON Web Key Set has them (RFC 7517), and signatures
// by them.

#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ferrite {

// How a token is signed. There is no "none", and nothing that could be made with a public key.
enum class SigningAlgorithm { kRs256, kEs256, kEdDsa };

// Absent if it is another one.
std::optional<SigningAlgorithm> AlgorithmOf(std::string_view name);

class SigningKey {
 public:
  using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;

  SigningKey(std::string id, SigningAlgorithm algorithm, Key key)
      : id_(std::move(id)), algorithm_(algorithm), key_(std::move(key)) {}

  const std::string& id() const { return id_; }  // empty: it has none
  SigningAlgorithm algorithm() const { return algorithm_; }
  // Whether the signature, as a token has it, is one of the text by this key. Thread-safe.
  bool HasSigned(std::string_view text, std::string_view signature) const;

 private:
  std::string id_;
  SigningAlgorithm algorithm_;
  Key key_;
};

// The keys of the text of a file that sign in one of our ways; others are left out.
// INVALID_ARGUMENT with `name` and the reason if it is no key set, has no such key, a private one,
// or a broken one.
absl::StatusOr<std::vector<SigningKey>> ReadSigningKeys(std::string_view text,
                                                        const std::string& name);

}  // namespace ferrite
