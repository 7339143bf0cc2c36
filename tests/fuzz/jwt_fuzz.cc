// Tokens in any text, as they are and signed by the keys that are believed: nothing is accepted but
// what is signed, for the audience, and says when it ends.

#include <openssl/evp.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "server/auth/base64url.h"
#include "server/auth/disposable_token.h"
#include "server/auth/jwt.h"

namespace ferrite {
namespace {

SigningKey::Key NewKey(unsigned char seed) {
  const std::vector<unsigned char> raw(32, seed);
  return {EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw.data(), raw.size()),
          &EVP_PKEY_free};
}

struct World {
  World() {
    issuers.push_back({OwnIssuer(), {}, /*is_own=*/true});
    issuers.back().keys.emplace_back("k", SigningAlgorithm::kEdDsa, NewKey(1));
    issuers.push_back({{.name = "n", .issuer = "i", .audience = "a", .jwks_file = ""}, {}});
    issuers.back().keys.emplace_back("k", SigningAlgorithm::kEdDsa, NewKey(1));
  }

  std::vector<KnownIssuer> issuers;
  const TokenSigner signer{"k", NewKey(1)};
};

constexpr auto kNow = std::chrono::system_clock::time_point(std::chrono::hours(500'000));

// Whether it was accepted.
bool Verify(const std::string& token, const World& world) {
  JwtBearer bearer;
  const absl::Status status = VerifyJwt(token, world.issuers, kNow, &bearer);
  FERRITE_CHECK(status.ok() || absl::IsUnauthenticated(status));
  if (!status.ok()) return false;
  FERRITE_CHECK(LooksLikeJwt(token) || !token.starts_with("eyJ"));
  FERRITE_CHECK(bearer.expires > kNow);
  const bool is_own = bearer.only != nullptr;
  FERRITE_CHECK(!bearer.principal.empty() && (is_own || bearer.principal.starts_with("n:")));
  FERRITE_CHECK(!is_own || !bearer.only->verbs.Have(policy::Verb::kAdmin));
  return true;
}

void Try(const std::string& text) {
  static const World world;
  FERRITE_CHECK(!Verify(text, world));
  // The first line is the header, all others are what is claimed.
  const size_t line = text.find('\n');
  if (line == std::string::npos) return;
  const std::string signed_text =
      EncodeBase64Url(text.substr(0, line)) + "." + EncodeBase64Url(text.substr(line + 1));
  std::string signature = world.signer.Sign(signed_text);
  Verify(signed_text + "." + EncodeBase64Url(signature), world);
  signature[text.size() % signature.size()] =
      static_cast<char>(signature[text.size() % signature.size()] ^ 1);
  FERRITE_CHECK(!Verify(signed_text + "." + EncodeBase64Url(signature), world));
}

}  // namespace
}  // namespace ferrite

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ferrite::Try(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
