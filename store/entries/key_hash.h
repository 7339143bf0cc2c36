#pragma once

// The hash of a key: the folded product of its halves, each mixed with a secret that is drawn anew
// in every process, so that nobody outside can choose keys that collide. A key of up to 16 bytes
// takes one multiplication. It is the store's own because every operation pays for it: Abseil's
// hash takes four times the instructions for such a key.

#include <cstdint>
#include <cstring>
#include <string_view>

#include "store/entries/words.h"

namespace ferrite {

class KeyHash {
 public:
  // Draws the secrets.
  KeyHash();

  uint64_t operator()(std::string_view key) const {
    const char* bytes = key.data();
    size_t size = key.size();
    uint64_t state = secrets_[0] ^ size;
    if (IsOfTwoWords(size)) [[likely]]
      return Finish(Load(bytes), Load(bytes + size - 8), state);
    for (; size > 16; size -= 16, bytes += 16) {
      state = Fold(Load(bytes) ^ secrets_[1], Load(bytes + 8) ^ state);
    }
    if (size >= 8) return Finish(Load(bytes), Load(bytes + size - 8), state);
    if (size >= 4) return Finish(LoadHalf(bytes), LoadHalf(bytes + size - 4), state);
    if (size == 0) return Finish(0, 0, state);
    const auto byte = [&](size_t at) { return uint64_t{static_cast<uint8_t>(bytes[at])}; };
    return Finish(byte(0), byte(size / 2) << 8 | byte(size - 1), state);
  }

 private:
  // The last 16 bytes or fewer, as two words that together hold all of them.
  uint64_t Finish(uint64_t first, uint64_t last, uint64_t state) const {
    return Fold(Fold(first ^ secrets_[1], last ^ state), secrets_[2]);
  }
  static uint64_t Load(const char* bytes) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof(word));
    return word;
  }
  static uint64_t LoadHalf(const char* bytes) {
    uint32_t word;
    std::memcpy(&word, bytes, sizeof(word));
    return word;
  }
  static uint64_t Fold(uint64_t a, uint64_t b) {
    __extension__ using Uint128 = unsigned __int128;
    const Uint128 product = static_cast<Uint128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }

  uint64_t secrets_[3];
};

}  // namespace ferrite
