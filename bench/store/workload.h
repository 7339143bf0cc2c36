#pragma once

// Which keys a benchmark touches. bench/peers/src/workload.rs says the same in Rust.

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ferrite::bench {

// Spreads the bits of `x` (the finalizer of splitmix64). One to one, so distinct numbers stay
// distinct.
constexpr uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// The eight hexadecimal digits of a number, first digit in the lowest byte; without memory access.
constexpr uint64_t HexDigits(uint32_t x) {
  uint64_t nibbles = __builtin_bswap32(x);
  nibbles = (nibbles | (nibbles << 16)) & 0x0000ffff0000ffffu;
  nibbles = (nibbles | (nibbles << 8)) & 0x00ff00ff00ff00ffu;
  nibbles = ((nibbles >> 4) | (nibbles << 8)) & 0x0f0f0f0f0f0f0f0fu;
  const uint64_t letters = ((nibbles + 0x0606060606060606u) >> 4) & 0x0101010101010101u;
  return nibbles + 0x3030303030303030u + letters * ('a' - '0' - 10);
}

// The key of entry `index`: 16 hexadecimal digits, computed and not looked up, so that making a key
// costs every map the same few instructions and no cache miss.
class Key {
 public:
  Key() = default;
  explicit Key(uint64_t index) {
    static_assert(std::endian::native == std::endian::little);
    const uint64_t mixed = Mix(index + 1);
    const uint64_t digits[2] = {HexDigits(mixed >> 32), HexDigits(static_cast<uint32_t>(mixed))};
    std::memcpy(bytes_.data(), digits, sizeof(digits));
  }

  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::array<char, 16> bytes_;
};

// A splitmix64 generator.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(Mix(seed + 0x12345678)) {}

  uint64_t Next() { return Mix(state_ += 0x9e3779b97f4a7c15u); }

 private:
  uint64_t state_;
};

// Picks which entry comes next: every one is as likely as every other.
class Uniform {
 public:
  explicit Uniform(uint64_t entries) : entries_(entries) {}

  uint64_t Pick(Random& random) const {
    __extension__ using Uint128 = unsigned __int128;
    return static_cast<uint64_t>((static_cast<Uint128>(random.Next()) * entries_) >> 64);
  }

 private:
  uint64_t entries_;
};

}  // namespace ferrite::bench
