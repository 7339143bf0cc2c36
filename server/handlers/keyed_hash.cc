#include "server/handlers/keyed_hash.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>

#include "base/check.h"

namespace ferrite {
namespace {

using Context = std::unique_ptr<EVP_MAC_CTX, void (*)(EVP_MAC_CTX*)>;

const std::array<unsigned char, 16>& ProcessKey() {
  static const std::array<unsigned char, 16> key = [] {
    std::array<unsigned char, 16> drawn;
    FERRITE_CHECK(RAND_bytes(drawn.data(), static_cast<int>(drawn.size())) == 1);
    return drawn;
  }();
  return key;
}

Context NewContext() {
  // To look the algorithm up by its name costs more than to hash an id.
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_SIPHASH, nullptr);
  FERRITE_CHECK(algorithm != nullptr);
  return {EVP_MAC_CTX_new(algorithm), &EVP_MAC_CTX_free};
}

void Begin(EVP_MAC_CTX* context) {
  FERRITE_CHECK(EVP_MAC_init(context, ProcessKey().data(), ProcessKey().size(), nullptr) == 1);
}

void Update(EVP_MAC_CTX* context, std::string_view piece) {
  FERRITE_CHECK(EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(piece.data()),
                               piece.size()) == 1);
}

KeyedDigest End(EVP_MAC_CTX* context) {
  KeyedDigest digest;
  size_t size = 0;
  FERRITE_CHECK(EVP_MAC_final(context, reinterpret_cast<unsigned char*>(digest.data()), &size,
                              sizeof digest) == 1 &&
                size == sizeof digest);
  return digest;
}

}  // namespace

KeyedHash::KeyedHash() : context_(NewContext()) { Begin(context_.get()); }

void KeyedHash::Add(std::string_view piece) { Update(context_.get(), piece); }

KeyedDigest KeyedHash::Finish() { return End(context_.get()); }

KeyedDigest KeyedHash::Of(std::string_view text) {
  thread_local const Context context = NewContext();
  Begin(context.get());
  Update(context.get(), text);
  return End(context.get());
}

}  // namespace ferrite
