// How a shard makes room.

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "store/shard/shard.h"

namespace ferrite {
namespace {

// How many pages are compared before one is emptied, and how many entries of each.
constexpr int kPagesToChooseFrom = 64;
constexpr uint32_t kEntriesToLookAt = 8;
constexpr size_t kNotToBeEmptied = std::numeric_limits<size_t>::max();
// The worth of a page is counted in so many parts of that of an entry without uses, and each use of
// late weighs as much as so many such entries.
constexpr size_t kPrecision = 1000;
constexpr size_t kUseWeight = 4;
// That of a page whose entries were used once, each.
constexpr size_t kLittleWorth = kPrecision * (1 + kUseWeight);

}  // namespace

std::optional<size_t> Shard::EvictIfUnchanged(const LookupKey& key, const Page* page,
                                              uint64_t version) {
  Remains remains;
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
  Erase(found, expired ? EventKind::kExpire : EventKind::kEvict, &remains);
  if (remains.block == nullptr) return 0;
  return ValueBlock::MemoryBytes(remains.block->bytes().size());
}

void Shard::CountPolicyMemory() {
  const size_t before = std::exchange(policy_bytes_, queue_.memory_bytes());
  context_.budget.eviction_bytes.fetch_add(policy_bytes_ - before, std::memory_order_relaxed);
}

Evicted Shard::EvictOne() {
  KeyBatch& victims = KeyBatch::OfThisThread();
  const Page* page;
  {
    MutexLock lock(&mutex_);
    Entry* victim = queue_.DetachVictim();
    if (victim == nullptr) return {};
    CountPolicyMemory();
    victims.Add(*victim);
    page = Page::Of(victim);
  }
  const auto freed_bytes = EvictIfUnchanged(victims[0], page, victims.version(0));
  return {.entries = freed_bytes.has_value(),
          .freed_bytes = freed_bytes.value_or(0),
          .had_victims = true};
}

Page* Shard::ChoosePage() {
  const Entry* head = queue_.head();
  if (head == nullptr) return nullptr;
  // The page of the next victim, or one of some others if less is lost with it.
  Page* best = Page::Of(head);
  size_t least = best->draining ? kNotToBeEmptied : WorthOf(best);
  bool has_blocks = least == kNotToBeEmptied;
  for (int i = 1; i < kPagesToChooseFrom; ++i) {
    page_choice_ = page_choice_ * 1664525 + 1013904223;  // a generator by Knuth
    Page* page = slots_.page((uint64_t{page_choice_} * slots_.page_count()) >> 32);
    if (page == nullptr || page->draining || page == best) continue;
    const size_t worth = WorthOf(page);
    has_blocks |= worth == kNotToBeEmptied;
    if (worth >= least) continue;
    best = page;
    least = worth;
  }
  // Entries with large values give memory back one by one: no reason to evict those in use with a
  // page that is among the few without any.
  return least == kNotToBeEmptied || (has_blocks && least > kLittleWorth) ? nullptr : best;
}

size_t Shard::WorthOf(Page* page) const {
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

Page* Shard::PageToEmpty() {
  if (page_to_empty_.has_value()) {
    Page* const page = slots_.page(*page_to_empty_);
    // Otherwise it was given back, and this is another one of the same number.
    if (page != nullptr && page->draining) return page;
  }
  Page* const page = ChoosePage();
  if (page == nullptr) return nullptr;
  slots_.SetDraining(page, true);
  page_to_empty_ = page->number;
  slot_to_empty_ = 0;
  return page;
}

Evicted Shard::EvictPage(size_t max_entries) {
  KeyBatch& victims = KeyBatch::OfThisThread();
  Page* page;
  uint32_t number;
  bool is_rest;
  {
    MutexLock lock(&mutex_);
    page = PageToEmpty();
    if (page == nullptr) return {};
    number = page->number;
    uint32_t slot = page->NextLive(slot_to_empty_);
    for (; slot < page->slot_count && victims.size() < max_entries;
         slot = page->NextLive(slot + 1)) {
      const Entry& entry = EntryInSlot(page->SlotAt(slot));
      queue_.CountUses(entry);
      victims.Add(entry);
    }
    slot_to_empty_ = slot;
    is_rest = slot == page->slot_count;
    if (is_rest) page_to_empty_.reset();
    CountPolicyMemory();
  }
  Evicted evicted{.had_victims = victims.size() > 0, .page_is_half_empty = !is_rest};
  EraseInTurn(victims, [&](size_t i) {
    if (const auto freed_bytes = EvictIfUnchanged(victims[i], page, victims.version(i))) {
      ++evicted.entries;
      evicted.freed_bytes += *freed_bytes;
    }
  });
  if (!is_rest) return evicted;
  MutexLock lock(&mutex_);
  if (slots_.page(number) != page || !page->draining) {
    evicted.freed_bytes += kPageBytes;
  } else {
    // Someone was faster than us in writing an entry again, or is yet to evict a part: the page
    // stays.
    slots_.SetDraining(page, false);
  }
  return evicted;
}

}  // namespace ferrite
