#pragma once

// Where entries probably lie, by the hash of their keys: a table that is small enough to stay in
// the processor's caches where the hash map's buckets are not, and that leads to an entry in one
// step where the map needs two or three, each of which waits for the one before.
//
// It may be wrong in every way: a hint may be missing, or lead to a slot that holds another entry
// or none. A reader that follows one checks what is there, and if it is not what it looked for,
// asks the map, which decides. So nothing here is locked; a hint that two threads write at the same
// time is one of the two.
//
// A hint takes one 32-bit cell: six bits of the hash, to tell it from the others of its set, and
// the slot within its shard. A set has eight cells, half a cache line. When the table is full it
// doubles in place; half of the hints are then in the wrong half, until the shards have moved them.

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "absl/base/config.h"
#include "store/memory/huge_memory.h"
#include "store/memory/page.h"

namespace ferrite {

// Thread-safe.
class HintTable {
 public:
  HintTable();
  ~HintTable();
  HintTable(const HintTable&) = delete;
  HintTable& operator=(const HintTable&) = delete;

  // Where an operation that follows hints will look.
  void Prefetch(uint32_t hash) const { __builtin_prefetch(SetOf(hash)); }

  // Calls `follow(ref)` for each slot where the entry may lie until it returns true; false if none
  // does.
  template <typename Follow>
  bool Try(uint32_t hash, Follow follow) const {
    const Cell* set = SetOf(hash);
    for (uint32_t matches = Matches(set, TagOf(hash)); matches != 0;) {
      if (follow(FirstOf(set, matches))) return true;
      matches &= matches - 1;
      matches &= matches - 1;
    }
    return false;
  }

  // The first of these slots; kEndRef if there is none.
  SlotRef First(uint32_t hash) const {
    const Cell* set = SetOf(hash);
    const uint32_t matches = Matches(set, TagOf(hash));
    return matches == 0 ? kEndRef : FirstOf(set, matches);
  }

  // Adds a hint, in place of another one if its set is full.
  void Put(uint32_t hash, SlotRef ref);
  // Removes one, if it is there.
  void Remove(uint32_t hash, SlotRef ref);

  // Moves one from where it was before the table doubled to where it belongs now.
  void Move(uint32_t hash, SlotRef ref);

  // Doubles the table when it has too few cells for so many entries. Returns by how many bytes it
  // grew.
  size_t GrowFor(size_t entries);

  // Gives the queue part `part` of `parts` of the table, which is in use now.
  void AddPart(size_t part, size_t parts, HugePageQueue* huge);

  size_t memory_bytes() const {
    return (set_mask_.load(std::memory_order_relaxed) + 1) * kCells * sizeof(Cell);
  }

  // Slots from this one on cannot be named.
  static constexpr SlotRef kEndRef = SlotRef{1} << 26;

 private:
  using Cell = std::atomic<uint32_t>;
  static constexpr size_t kCells = 8;
  static constexpr int kTagBits = 6;
  static constexpr uint32_t kRefMask = kEndRef - 1;
  static constexpr size_t kMinSets = size_t{1} << 10;
  static constexpr size_t kMaxSets = size_t{1} << (32 - kTagBits);

  Cell* SetAt(uint32_t number) const { return cells_ + size_t{number} * kCells; }
  Cell* SetOf(uint32_t hash) const {
    return SetAt(hash >> kTagBits & set_mask_.load(std::memory_order_relaxed));
  }
  static void RemoveFrom(Cell* set, uint32_t hash, SlotRef ref);
  static uint32_t TagOf(uint32_t hash) { return hash << (32 - kTagBits); }
  // Bits 2i and 2i + 1 are set if cell i has the tag. An empty cell has tag 0.
  static uint32_t Matches(const Cell* set, uint32_t tag) {
#if defined(__SSE2__) && !defined(ABSL_HAVE_THREAD_SANITIZER)
    const __m128i mask = _mm_set1_epi32(static_cast<int>(~kRefMask));
    const __m128i wanted = _mm_set1_epi32(static_cast<int>(tag));
    const auto match = [&](const __m128i* half) {
      return _mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128(half), mask), wanted);
    };
    const auto* halves = reinterpret_cast<const __m128i*>(set);
    return static_cast<uint32_t>(
        _mm_movemask_epi8(_mm_packs_epi32(match(halves), match(halves + 1))));
#else
    uint32_t matches = 0;
    for (uint32_t i = 0; i < kCells; ++i) {
      const uint32_t cell = set[i].load(std::memory_order_relaxed);
      matches |= static_cast<uint32_t>((cell & ~kRefMask) == tag ? 3 : 0) << 2 * i;
    }
    return matches;
#endif
  }
  // Where the first of these matches points.
  static SlotRef FirstOf(const Cell* set, uint32_t matches) {
    // Two bytes for each bit of a match: counted in bytes, as every operation waits for this step.
    static_assert(sizeof(Cell) == 4);
    const auto bit = static_cast<uint8_t>(std::countr_zero(matches));
    const auto* bytes = reinterpret_cast<const char*>(set) + 2 * size_t{bit};
    return reinterpret_cast<const Cell*>(bytes)->load(std::memory_order_relaxed) & kRefMask;
  }

  Cell* cells_;
  std::atomic<uint32_t> set_mask_{kMinSets - 1};
};

}  // namespace ferrite
