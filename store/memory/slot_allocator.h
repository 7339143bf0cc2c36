#pragma once

// The slots of one shard: pages by size class, a free list in each page, and the walk over what
// lives in them.
//
// A slot never moves while its entry lives, and a page is given back only when its last slot is
// free. So "page number, slot number" is a stable position: a walk over all positions meets every
// entry that lives throughout, once. This is the structure that eviction, expiry and Scan walk, as
// the hash map itself cannot be iterated while it is in use.

#include <array>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "store/memory/page.h"
#include "store/memory/page_table.h"

namespace ferrite {

// What the allocator has to know of the entries that lie in slots (entries/entry.h checks it): the
// word that tells readers without a lock whether an entry is live, 0 where none has ever been, and
// the last word of the entry's header, in which a free slot keeps the number of the next one. The
// rest of a freed slot stays as its entry left it, as such readers may still be looking at it.
inline constexpr size_t kSlotVersionOffset = 24;
inline constexpr size_t kFreeLinkOffset = 40;

// Not thread-safe: guarded by the shard's mutex.
class SlotAllocator {
 public:
  // A slot of the class, or null when no page of it has one free. The slot is not live yet.
  void* Allocate(uint8_t size_class);

  // A slot of one of the next larger classes, if one has a slot of which at most a quarter is
  // wasted: for when memory is short.
  void* AllocateLarger(uint8_t size_class);

  // Makes `memory` (kPageBytes, aligned) a page of the class. Touches all of it, and where it is
  // fresh the kernel takes a while to find it: so this needs no lock.
  static Page* MakePage(uint8_t size_class, void* memory);
  // Takes slots from this page too. False: the shard cannot name another page.
  [[nodiscard]] bool AddPage(Page* page);

  // Frees a slot. Returns the page's memory if that was its last used slot, for the pool; null
  // otherwise.
  void* Free(void* slot);

  // Takes the page out of use for new entries, or back into use.
  void SetDraining(Page* page, bool draining);

  uint32_t page_count() const { return page_count_; }
  // Null for a number whose page was given back.
  Page* page(uint32_t number) const { return pages_.page(number); }
  // For readers without a lock.
  const PageTable& pages() const { return pages_; }

  SlotRef RefOf(const void* slot) const {
    const Page* page = Page::Of(slot);
    return page->number << kSlotBits | page->SlotNumberOf(slot);
  }
  char* SlotOf(SlotRef ref) const {
    char* const slot = pages_.SlotAt(ref);
    FERRITE_CHECK(slot != nullptr);
    return slot;
  }

 private:
  void PushPartial(Page* page);
  void RemovePartial(Page* page);

  PageTable pages_;
  uint32_t page_count_ = 0;  // numbers in use or given back
  std::vector<uint32_t> unused_numbers_;
  std::array<Page*, kSizeClassCount> partial_{};  // pages with a free slot, by class
};

}  // namespace ferrite
