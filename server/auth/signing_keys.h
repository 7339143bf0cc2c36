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
  // Whether it is the same key, whatever it is called.
  bool IsSame(const SigningKey& other) const;

 private:
  std::string id_;
  SigningAlgorithm algorithm_;
  Key key_;
};

// Whether they are the same keys with the same names, in the same order.
bool SameKeys(const std::vector<SigningKey>& some, const std::vector<SigningKey>& others);

struct KeySet {
  std::vector<SigningKey> keys;  // no two of one algorithm have the same name
  // Which keys are not believed, and why: a bad one must not hold up that another is taken away.
  std::vector<std::string> left_out;
};

// The keys of the text of a file that sign in one of our ways; others are left out without a word.
// Left out with a reason are broken and weak ones, private ones, and those that share a name.
// INVALID_ARGUMENT with `name` and the reason if it is no key set, or nothing is left.
absl::StatusOr<KeySet> ReadSigningKeys(std::string_view text, const std::string& name);

}  // namespace ferrite
