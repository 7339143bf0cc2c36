#pragma once

// Which lengths the prefixes have that somebody follows: so that a name is looked up once for each
// length there is, and not for each that there could be.

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "store/operation.h"

namespace ferrite {

// A hash of a name that is that of its prefix, gone on with: so the hashes of all prefixes cost no
// more than that of the whole name (FNV-1a).
class NameHash {
 public:
  static uint64_t Of(std::string_view name) {
    NameHash hash;
    hash.Add(name);
    return hash.value();
  }

  void Add(std::string_view bytes) {
    for (const char byte : bytes) value_ = (value_ ^ static_cast<uint8_t>(byte)) * 0x100000001b3;
  }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325;
};

// ForEachIn is thread-safe; Add and Remove must not come at the same time.
class PrefixLengths {
 public:
  void Add(size_t length) {
    if (++counts_[length] == 1) Flip(length);
  }
  void Remove(size_t length) {
    if (--counts_[length] == 0) Flip(length);
  }

  // Calls visit(prefix, hash) for each prefix of `name` whose length is there. A name has at most
  // kMaxKeyBytes.
  template <typename Visit>
  void ForEachIn(std::string_view name, Visit visit) const {
    NameHash hash;
    size_t hashed = 0;
    for (size_t word = 0; word <= name.size() / 64; ++word) {
      for (uint64_t bits = words_[word].load(); bits != 0; bits &= bits - 1) {
        const size_t length = word * 64 + static_cast<size_t>(std::countr_zero(bits));
        if (length > name.size()) return;
        hash.Add(name.substr(hashed, length - hashed));
        hashed = length;
        visit(name.substr(0, length), hash.value());
      }
    }
  }

 private:
  void Flip(size_t length) { words_[length / 64].fetch_xor(uint64_t{1} << length % 64); }

  std::array<std::atomic<uint64_t>, kMaxKeyBytes / 64 + 1> words_{};
  std::array<uint32_t, kMaxKeyBytes + 1> counts_{};
};

}  // namespace ferrite
