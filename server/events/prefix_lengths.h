#pragma once

// Which lengths the prefixes have that somebody follows: so that a name is looked up once for each
// length there is, and not for each that there could be.

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "store/operation.h"

namespace ferrite {

// ForEachUpTo is thread-safe; Add and Remove must not come at the same time.
class PrefixLengths {
 public:
  void Add(size_t length) {
    if (++counts_[length] == 1) Flip(length);
  }
  void Remove(size_t length) {
    if (--counts_[length] == 0) Flip(length);
  }

  // Calls visit(length) for each length that is there and not above `most`, which must not be above
  // kMaxKeyBytes.
  template <typename Visit>
  void ForEachUpTo(size_t most, Visit visit) const {
    for (size_t word = 0; word <= most / 64; ++word) {
      for (uint64_t bits = words_[word].load(); bits != 0; bits &= bits - 1) {
        const size_t length = word * 64 + static_cast<size_t>(std::countr_zero(bits));
        if (length > most) return;
        visit(length);
      }
    }
  }

 private:
  void Flip(size_t length) { words_[length / 64].fetch_xor(uint64_t{1} << length % 64); }

  std::array<std::atomic<uint64_t>, kMaxKeyBytes / 64 + 1> words_{};
  std::array<uint32_t, kMaxKeyBytes + 1> counts_{};
};

}  // namespace ferrite
