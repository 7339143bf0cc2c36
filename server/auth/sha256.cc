#include "server/auth/sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>

#include "absl/strings/escaping.h"
#include "base/check.h"

namespace ferrite {

policy::Digest Sha256(std::string_view text) {
  // To look the algorithm up by its name costs more than to hash a token.
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                                &EVP_MD_CTX_free);
  policy::Digest digest;
  unsigned size = 0;
  FERRITE_CHECK(EVP_DigestInit_ex2(context.get(), algorithm, nullptr) == 1 &&
                EVP_DigestUpdate(context.get(), text.data(), text.size()) == 1 &&
                EVP_DigestFinal_ex(context.get(), digest.data(), &size) == 1 &&
                size == digest.size());
  return digest;
}

std::string ShownHash(std::string_view name) {
  constexpr size_t kShownBytes = 8;
  const policy::Digest digest = Sha256(name);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), kShownBytes));
}

bool SameDigest(const policy::Digest& one, const policy::Digest& other) {
  return CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace ferrite
