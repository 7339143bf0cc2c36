#pragma once

// A hash for which nobody outside of this process can make two texts that have the same: SipHash
// with a key that is drawn when the process starts. 128 bits, so that it stands for the text.

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace ferrite {

using KeyedDigest = std::array<uint64_t, 2>;

// Of a text that comes in pieces, wherever it is cut. Not thread-safe.
class KeyedHash {
 public:
  KeyedHash();
  void Add(std::string_view piece);
  // Once.
  KeyedDigest Finish();

  static KeyedDigest Of(std::string_view text);

 private:
  const std::unique_ptr<EVP_MAC_CTX, void (*)(EVP_MAC_CTX*)> context_;
};

// For maps by such a digest, which is as good as random.
struct DigestAsHash {
  size_t operator()(const KeyedDigest& digest) const { return digest[0]; }
};

}  // namespace ferrite
