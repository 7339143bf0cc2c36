// How a shard makes room.

#include <algorithm>
#include <limits>
#include <optional>

#include "store/shard.h"

namespace ferrite {
namespace {

// How many pages are compared before one is emptied, and how many entries of each.
constexpr int kPagesToChooseFrom = 64;
constexpr uint32_t kEntriesToLookAt = 8;
constexpr size_t kNotToBeEmptied = std::numeric_limits<size_t>::max();

}  // namespace

std::optional<size_t> Shard::EvictIfUnchanged(const LookupKey& key, const Page* page,
                                              uint64_t version) {
  SpinMutex::scoped_lock key_lock(LockOf(key.hash));
  Entry* const found = Find(key);
  if (found == nullptr || Page::Of(found) != page) return std::nullopt;
  Entry& entry = *found;
  if (entry.version() != version) {
    MutexLock lock(&mutex_);
    if (EvictionQueue::place(entry) == QueuePlace::kDetached) queue_.Restore(&entry);
    return std::nullopt;
  }
  const bool expired = Expired(entry);
  if (expired) {
    CountExpiredOnAccess();
  } else {
    evictions_.fetch_add(1, std::memory_order_relaxed);
  }
  const size_t freed_bytes = entry.HasBlock() ? ValueBlock::MemoryBytes(entry.value().size()) : 0;
  Erase(found, expired ? EventKind::kExpire : EventKind::kEvict);
  return freed_bytes;
}

std::optional<size_t> Shard::EvictOne() {
  KeyBatch& victims = KeyBatch::OfThisThread();
  const Page* page;
  {
    MutexLock lock(&mutex_);
    const size_t policy_bytes = queue_.memory_bytes();
    Entry* victim = queue_.DetachVictim();
    if (victim == nullptr) return std::nullopt;
    context_.budget.eviction_bytes.fetch_add(queue_.memory_bytes() - policy_bytes,
                                             std::memory_order_relaxed);
    victims.Add(*victim);
    page = Page::Of(victim);
  }
  return EvictIfUnchanged(victims[0], page, victims.version(0));
}

Page* Shard::ChoosePage() {
  const Entry* head = queue_.head();
  if (head == nullptr) return nullptr;
  // The page of the next victim, or one of some others if less is lost with it.
  Page* best = Page::Of(head);
  size_t least = WorthOf(best);
  for (int i = 1; i < kPagesToChooseFrom; ++i) {
    page_choice_ = page_choice_ * 1664525 + 1013904223;  // a generator by Knuth
    Page* page = slots_.page((uint64_t{page_choice_} * slots_.page_count()) >> 32);
    if (page == nullptr || page->draining || page == best) continue;
    const size_t worth = WorthOf(page);
    if (worth >= least) continue;
    best = page;
    least = worth;
  }
  return least == kNotToBeEmptied ? nullptr : best;
}

size_t Shard::WorthOf(Page* page) const {
  constexpr size_t kPrecision = 1000;
  constexpr size_t kUseWeight = 4;  // of a use of late, beside being there at all
  const uint32_t step = std::max<uint32_t>(1, page->slot_count / kEntriesToLookAt);
  size_t looked_at = 0, worth = 0, blocks = 0;
  for (uint32_t slot = page->NextLive(0); slot < page->slot_count;
       slot = page->NextLive(slot + step)) {
    const Entry& entry = EntryInSlot(page->SlotAt(slot));
    worth += 1 + kUseWeight * static_cast<size_t>(queue_.Worth(entry));
    blocks += entry.HasBlock();
    ++looked_at;
  }
  // Without an entry that is in the map all are being written or deleted; and the large values that
  // a page's entries may have are much more than the page.
  if (looked_at == 0 || blocks > 0) return kNotToBeEmptied;
  return worth * kPrecision / looked_at * page->used_count / page->slot_count;
}

std::optional<size_t> Shard::EvictPage() {
  KeyBatch& victims = KeyBatch::OfThisThread();
  Page* page;
  uint32_t number;
  {
    MutexLock lock(&mutex_);
    page = ChoosePage();
    if (page == nullptr) return std::nullopt;
    number = page->number;
    for (uint32_t slot = page->NextLive(0); slot < page->slot_count;
         slot = page->NextLive(slot + 1)) {
      const Entry& entry = EntryInSlot(page->SlotAt(slot));
      queue_.CountUses(entry);
      victims.Add(entry);
    }
    slots_.SetDraining(page, true);
  }
  size_t evicted = 0, freed_bytes = 0;
  for (size_t i = 0; i < victims.size(); ++i) {
    if (const auto freed = EvictIfUnchanged(victims[i], page, victims.version(i))) {
      ++evicted;
      freed_bytes += *freed;
    }
  }
  if (evicted == 0) return std::nullopt;
  MutexLock lock(&mutex_);
  if (slots_.page(number) != page || !page->draining) return freed_bytes + kPageBytes;
  // Someone was faster than us in writing an entry again: the page stays.
  slots_.SetDraining(page, false);
  return freed_bytes;
}

}  // namespace ferrite
