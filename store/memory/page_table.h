#pragma once

// The pages of one shard by number, in one array that never moves, so that a slot is found from its
// reference without a lock.

#include <atomic>
#include <cstdint>

#include "store/memory/page.h"

namespace ferrite {

// Written with the shard's mutex held, read by any thread.
class PageTable {
 public:
  PageTable();
  ~PageTable();
  PageTable(const PageTable&) = delete;
  PageTable& operator=(const PageTable&) = delete;

  void Set(uint32_t number, Page* page) {
    words_[number].store(reinterpret_cast<uintptr_t>(page) | page->slot_bytes,
                         std::memory_order_release);
  }
  void Clear(uint32_t number) { words_[number].store(0, std::memory_order_relaxed); }

  // Null if there is none.
  Page* page(uint32_t number) const {
    return reinterpret_cast<Page*>(words_[number].load(std::memory_order_relaxed) & ~kSizeMask);
  }
  // The slot, or null if it does not exist. A slot, unlike a page, may be any that was ever named:
  // what lies in it is for the caller to find out.
  char* SlotAt(SlotRef ref) const {
    const uintptr_t word = words_[ref >> kSlotBits].load(std::memory_order_acquire);
    const size_t slot_bytes = word & kSizeMask;
    const size_t offset = ref % kMaxSlotsPerPage * slot_bytes;
    // Where there is no page, the end is 0 and the last byte the largest number.
    const size_t last_byte = offset + slot_bytes - 1;
    if (last_byte >= kPageBytes - Page::kFirstSlotOffset) [[unlikely]]
      return nullptr;
    char* const slot = reinterpret_cast<char*>(word & ~kSizeMask) + Page::kFirstSlotOffset + offset;
    if (slot == nullptr) __builtin_unreachable();  // spares callers a test of each slot they get
    return slot;
  }

 private:
  // A page is aligned to its size, which leaves room for the size of its slots.
  static constexpr uintptr_t kSizeMask = kPageBytes - 1;
  static constexpr size_t kBytes = kMaxPagesPerShard * sizeof(uint64_t);

  std::atomic<uintptr_t>* words_;
};

}  // namespace ferrite
