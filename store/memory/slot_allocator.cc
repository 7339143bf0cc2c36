#include "store/memory/slot_allocator.h"

#include <cstring>
#include <new>

#include "base/check.h"

namespace ferrite {
namespace {

uint16_t NextFree(const char* slot) {
  uint16_t next;
  std::memcpy(&next, slot + kFreeLinkOffset, sizeof(next));
  return next;
}

void SetNextFree(char* slot, uint16_t next) {
  std::memcpy(slot + kFreeLinkOffset, &next, sizeof(next));
}

}  // namespace

void* SlotAllocator::Allocate(uint8_t size_class) {
  Page* page = partial_[size_class];
  if (page == nullptr) return nullptr;
  char* slot = page->SlotAt(page->free_head);
  page->free_head = NextFree(slot);
  if (++page->used_count == page->slot_count) {
    RemovePartial(page);
  } else {
    __builtin_prefetch(page->SlotAt(page->free_head), 1);  // the next to be asked for
  }
  return slot;
}

void* SlotAllocator::AllocateLarger(uint8_t size_class) {
  const size_t most = SlotBytes(size_class) * 4 / 3;
  for (size_t larger = size_class + 1u; larger < kSizeClassCount; ++larger) {
    if (SlotBytes(static_cast<uint8_t>(larger)) > most) return nullptr;
    if (void* slot = Allocate(static_cast<uint8_t>(larger))) return slot;
  }
  return nullptr;
}

Page* SlotAllocator::MakePage(uint8_t size_class, void* memory) {
  auto* page = new (memory) Page{};
  page->size_class = size_class;
  page->slot_bytes = static_cast<uint32_t>(SlotBytes(size_class));
  page->slot_reciprocal = Page::ReciprocalOf(page->slot_bytes);
  page->slot_count =
      static_cast<uint16_t>((kPageBytes - Page::kFirstSlotOffset) / page->slot_bytes);
  for (uint32_t slot = 0; slot < page->slot_count; ++slot) {
    SetNextFree(page->SlotAt(slot), static_cast<uint16_t>(slot + 1));
    auto* const version = reinterpret_cast<uint64_t*>(page->SlotAt(slot) + kSlotVersionOffset);
    __atomic_store_n(version, 0, __ATOMIC_RELAXED);
  }
  return page;
}

bool SlotAllocator::AddPage(Page* page) {
  if (unused_numbers_.empty()) {
    if (page_count_ == kMaxPagesPerShard - 1) return false;
    page->number = page_count_++;
  } else {
    page->number = unused_numbers_.back();
    unused_numbers_.pop_back();
  }
  pages_.Set(page->number, page);
  PushPartial(page);
  return true;
}

void* SlotAllocator::Free(void* slot) {
  Page* page = Page::Of(slot);
  SetNextFree(static_cast<char*>(slot), page->free_head);
  page->free_head = static_cast<uint16_t>(page->SlotNumberOf(slot));
  if (--page->used_count == 0) {
    if (page->partial) RemovePartial(page);
    pages_.Clear(page->number);
    unused_numbers_.push_back(page->number);
    return page;
  }
  if (!page->partial && !page->draining) PushPartial(page);
  return nullptr;
}

void SlotAllocator::SetDraining(Page* page, bool draining) {
  page->draining = draining;
  if (draining && page->partial) RemovePartial(page);
  if (!draining && !page->partial && page->used_count < page->slot_count) PushPartial(page);
}

void SlotAllocator::PushPartial(Page* page) {
  Page*& head = partial_[page->size_class];
  page->previous_partial = nullptr;
  page->next_partial = head;
  if (head != nullptr) head->previous_partial = page;
  head = page;
  page->partial = true;
}

void SlotAllocator::RemovePartial(Page* page) {
  if (page->next_partial != nullptr) page->next_partial->previous_partial = page->previous_partial;
  (page->previous_partial != nullptr ? page->previous_partial->next_partial
                                     : partial_[page->size_class]) = page->next_partial;
  page->partial = false;
}

}  // namespace ferrite
