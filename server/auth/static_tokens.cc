#include "server/auth/static_tokens.h"

#include <cstring>

#include "server/auth/sha256.h"

namespace ferrite {
namespace {

uint64_t BeginningOf(const policy::Digest& digest) {
  uint64_t beginning;
  std::memcpy(&beginning, digest.data(), sizeof beginning);
  return beginning;
}

}  // namespace

StaticTokens::StaticTokens(const policy::PolicyRules& rules) {
  for (const auto& [digest, principal] : rules.tokens)
    by_beginning_[BeginningOf(digest)].push_back({&digest, &principal});
}

const std::string* StaticTokens::Find(const policy::Digest& sha256) const {
  const auto tokens = by_beginning_.find(BeginningOf(sha256));
  if (tokens == by_beginning_.end()) return nullptr;
  for (const Token& token : tokens->second)
    if (SameDigest(*token.sha256, sha256)) return token.principal;
  return nullptr;
}

}  // namespace ferrite
