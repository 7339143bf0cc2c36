#pragma once

// A page: 64 KiB of slots of one size, which belong to one shard. Its header is found from any
// address within it, so a slot knows its page without storing anything.

#include <array>
#include <cstddef>
#include <cstdint>

#include "store/memory/first_due.h"
#include "store/memory/size_class.h"

namespace ferrite {

inline constexpr size_t kPageBytes = size_t{64} << 10;
// So many bytes behind a page can be read, though they mean nothing.
inline constexpr size_t kPageTailBytes = size_t{64} << 10;

// Names a slot within its shard in 30 bits: 20 for the page, 10 for the slot in it. 2^20 pages are
// 64 GiB a shard.
using SlotRef = uint32_t;
inline constexpr uint32_t kSlotBits = 10;
inline constexpr uint32_t kMaxSlotsPerPage = 1u << kSlotBits;
inline constexpr uint32_t kMaxPagesPerShard = 1u << 20;
inline constexpr SlotRef kNoSlot = (1u << 30) - 1;

// Everything but when entries expire is guarded by the mutex of the shard that holds the page.
struct Page {
  // Slots begin here: past the header, at a cache line.
  static constexpr size_t kFirstSlotOffset = 256;

  static Page* Of(const void* slot) {
    return reinterpret_cast<Page*>(reinterpret_cast<uintptr_t>(slot) & ~(kPageBytes - 1));
  }

  char* SlotAt(uint32_t slot) {
    return reinterpret_cast<char*>(this) + kFirstSlotOffset + size_t{slot} * slot_bytes;
  }
  uint32_t SlotNumberOf(const void* slot) const {
    const auto offset = static_cast<const char*>(slot) - reinterpret_cast<const char*>(this);
    return static_cast<uint32_t>((offset - kFirstSlotOffset) * slot_reciprocal >> 32);
  }

  static uint32_t ReciprocalOf(uint32_t slot_bytes) {
    return static_cast<uint32_t>(((uint64_t{1} << 32) + slot_bytes - 1) / slot_bytes);
  }

  bool live(uint32_t slot) const { return (live_bits[slot / 64] >> (slot % 64) & 1) != 0; }
  void set_live(uint32_t slot) { live_bits[slot / 64] |= uint64_t{1} << (slot % 64); }
  void clear_live(uint32_t slot) { live_bits[slot / 64] &= ~(uint64_t{1} << (slot % 64)); }

  // Asks for what changes in the header when a slot is handed out or freed.
  void Prefetch() const {
    constexpr size_t kCacheLineBytes = 64;
    for (size_t offset = 0; offset < sizeof(Page); offset += kCacheLineBytes) {
      __builtin_prefetch(reinterpret_cast<const char*>(this) + offset);
    }
  }

  // The first live slot at or after `slot`, or slot_count.
  uint32_t NextLive(uint32_t slot) const;

  // When the first entry of this page expires, by either clock. Written by writers that give an
  // entry a time to live, read by the sweep.
  FirstDue due_by_steady_clock;
  FirstDue due_by_wall_clock;

  Page* next_partial;  // the list of pages of this class that have a free slot
  Page* previous_partial;
  uint32_t number;  // within the shard
  uint32_t slot_bytes;
  // 2^32 / slot_bytes, rounded up: to multiply takes a tenth of the time of a division, and is
  // exact, as an offset in a page times slot_bytes is below 2^32.
  uint32_t slot_reciprocal;
  uint16_t slot_count;
  uint16_t used_count;  // handed out, live or not
  uint16_t free_head;   // the first free slot; each holds the number of the next
  uint8_t size_class;
  bool partial;   // on the list of partial pages
  bool draining;  // being emptied: no slot is handed out
  // Slots whose entry is in the map. A slot is handed out before its entry is linked and freed
  // after it is unlinked.
  std::array<uint64_t, kMaxSlotsPerPage / 64> live_bits;
};

static_assert(sizeof(Page) <= Page::kFirstSlotOffset);

}  // namespace ferrite
