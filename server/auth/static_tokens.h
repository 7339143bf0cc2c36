#pragma once

// The static tokens of a policy, of which only hashes are known.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/policy/policy.h"

namespace ferrite {

// Immutable. Thread-safe.
class StaticTokens {
 public:
  // `rules` must outlive it.
  explicit StaticTokens(const policy::PolicyRules& rules);

  // The principal of a token; null if it is none. How long it takes does not tell how much of a
  // token is right: the token is hashed, and hashes are compared as a whole.
  const std::string* Find(const policy::Digest& sha256) const;

 private:
  struct Token {
    const policy::Digest* sha256;
    const std::string* principal;
  };
  // By a part of the hash, which nobody can choose who does not know the token.
  absl::flat_hash_map<uint64_t, std::vector<Token>> by_beginning_;
};

}  // namespace ferrite
