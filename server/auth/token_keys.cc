#include "server/auth/token_keys.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "server/auth/base64url.h"
#include "server/auth/sha256.h"

namespace ferrite {
namespace {

constexpr size_t kRawKeyBytes = 32;
constexpr size_t kSignatureBytes = 64;
constexpr size_t kIdBytes = 9;

using RawKey = std::array<unsigned char, kRawKeyBytes>;

std::string_view RawTextOf(const RawKey& raw) {
  return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}

RawKey PublicPartOf(const SigningKey::Key& key) {
  RawKey raw;
  size_t size = raw.size();
  FERRITE_CHECK(EVP_PKEY_get_raw_public_key(key.get(), raw.data(), &size) == 1 &&
                size == raw.size());
  return raw;
}

std::string IdOf(const RawKey& raw) {
  const policy::Digest digest = Sha256(RawTextOf(raw));
  return EncodeBase64Url({reinterpret_cast<const char*>(digest.data()), kIdBytes});
}

// One part of a file in PEM.
struct Block {
  std::string kind;
  std::string bytes;
};

// The next one; absent at the end.
std::optional<Block> NextBlock(BIO* file) {
  char* kind = nullptr;
  char* header = nullptr;
  unsigned char* bytes = nullptr;
  long size = 0;  // as OpenSSL has it
  if (PEM_read_bio(file, &kind, &header, &bytes, &size) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  Block block{kind, {reinterpret_cast<char*>(bytes), static_cast<size_t>(size)}};
  OPENSSL_free(kind);
  OPENSSL_free(header);
  OPENSSL_clear_free(bytes, static_cast<size_t>(size));
  return block;
}

SigningKey::Key KeyIn(const Block& block) {
  const auto* at = reinterpret_cast<const unsigned char*>(block.bytes.data());
  const auto size = static_cast<long>(block.bytes.size());
  EVP_PKEY* key = nullptr;
  if (block.kind == PEM_STRING_PKCS8INF) key = d2i_AutoPrivateKey(nullptr, &at, size);
  if (block.kind == PEM_STRING_PUBLIC) key = d2i_PUBKEY(nullptr, &at, size);
  ERR_clear_error();
  if (key != nullptr && EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) {
    EVP_PKEY_free(key);
    key = nullptr;
  }
  return {key, &EVP_PKEY_free};
}

}  // namespace

std::string TokenSigner::Sign(std::string_view text) const {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   &EVP_MD_CTX_free);
  std::string signature(kSignatureBytes, '\0');
  size_t size = signature.size();
  FERRITE_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
                EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()),
                               &size, reinterpret_cast<const unsigned char*>(text.data()),
                               text.size()) == 1 &&
                size == signature.size());
  return signature;
}

absl::StatusOr<TokenKeys> ReadTokenKeys(std::string_view text, const std::string& name) {
  const auto complain = [&name](const std::string& reason) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", reason));
  };
  const std::unique_ptr<BIO, int (*)(BIO*)> file(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
  std::optional<TokenSigner> signer;
  std::vector<SigningKey> accepted;
  while (std::optional<Block> block = NextBlock(file.get())) {
    if (accepted.size() == kMostTokenKeys)
      return complain(absl::StrCat("it has more than ", kMostTokenKeys, " keys"));
    SigningKey::Key key = KeyIn(*block);
    if (key == nullptr) {
      return complain(absl::StrCat("key ", accepted.size(), " (from 0), a ", block->kind,
                                   ", is no private or public key of Ed25519 without a passphrase, "
                                   "as openssl genpkey -algorithm ed25519 makes it"));
    }
    const RawKey raw = PublicPartOf(key);
    const std::string id = IdOf(raw);
    accepted.emplace_back(id, SigningAlgorithm::kEdDsa,
                          SigningKey::Key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                                                      raw.data(), raw.size()),
                                          &EVP_PKEY_free));
    const bool is_private = block->kind == PEM_STRING_PKCS8INF;
    if (is_private && !signer.has_value()) signer.emplace(id, std::move(key));
  }
  if (!signer.has_value()) return complain("there is no private key in it (PRIVATE KEY, in PEM)");
  return TokenKeys{*std::move(signer), std::move(accepted)};
}

}  // namespace ferrite
