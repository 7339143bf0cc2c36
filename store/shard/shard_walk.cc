// How a shard is walked, page by page, a bounded stretch at a time.

#include <algorithm>

#include "store/shard/shard.h"

namespace ferrite {
namespace {

constexpr uint32_t kPagesPerSweepStep = 1024;
constexpr uint32_t kSlotsPerScanStep = 4096;
// A batch of keys whose entries go ends with whichever comes first: to give a page's memory back to
// the kernel, or that of a large value, takes as long as many deletions.
constexpr size_t kKeysPerBatch = 64;
constexpr size_t kBytesPerBatch = size_t{512} << 10;
constexpr uint32_t kFullPagesPerBatch = 4;
constexpr uint32_t kPagesPerBatch = 1024;
// Most of these keys may be left alone.
constexpr size_t kKeysLookedAtPerBatch = 256;
constexpr size_t kKeyBytesPerBatch = size_t{16} << 10;

// Whether an entry of the page may have expired.
bool IsDue(const Page& page, const Moment& now) {
  return page.due_by_steady_clock.IsOver(now.steady_ms) ||
         page.due_by_wall_clock.IsOver(now.unix_ms);
}

}  // namespace

bool Shard::Sweep(uint32_t* page_number) {
  KeyBatch& due = KeyBatch::OfThisThread();
  const Moment now(*context_.clock);
  bool more;
  {
    MutexLock lock(&mutex_);
    Page* page = nullptr;
    const uint32_t end = slots_.page_count();
    const uint32_t stop = std::min(end, *page_number + kPagesPerSweepStep);
    while (page == nullptr && *page_number < stop) {
      page = slots_.page((*page_number)++);
      if (page != nullptr && !IsDue(*page, now)) page = nullptr;
    }
    more = *page_number < end;
    if (page == nullptr) return more;
    page->due_by_steady_clock.Reset();
    page->due_by_wall_clock.Reset();
    for (uint32_t slot = page->NextLive(0); slot < page->slot_count;
         slot = page->NextLive(slot + 1)) {
      const Entry& entry = EntryInSlot(page->SlotAt(slot));
      const int64_t at_ms = entry.expires_at_ms();
      if (at_ms == 0) continue;
      if (LeftMs(at_ms, now) <= 0) {
        due.Add(entry);
      } else {
        NoteExpiry(page, at_ms);
      }
    }
  }
  EraseInTurn(due, [&](size_t i) {
    Remains remains;
    SpinMutex::scoped_lock key_lock(LockOf(due[i].hash));
    Entry* const entry = Find(due[i]);
    if (entry == nullptr) return;
    const int64_t at_ms = entry->expires_at_ms();
    if (at_ms == 0) return;
    if (LeftMs(at_ms, *context_.clock) > 0) {
      // It was written again, or the wall clock was set back: then the page does not know of it.
      return NoteExpiry(Page::Of(entry), at_ms);
    }
    Erase(entry, EventKind::kExpire, &remains);
    expired_by_sweep_.fetch_add(1, std::memory_order_relaxed);
  });
  return more;
}

bool Shard::Scan(std::string_view prefix, size_t limit, uint32_t* page_number, uint32_t* slot,
                 KeyBatch* keys) {
  MutexLock lock(&mutex_);
  uint32_t looked_at = 0;
  for (; *page_number < slots_.page_count(); ++*page_number, *slot = 0) {
    if (looked_at++ >= kSlotsPerScanStep) return true;
    Page* page = slots_.page(*page_number);
    if (page == nullptr) continue;
    for (*slot = page->NextLive(*slot); *slot < page->slot_count;
         *slot = page->NextLive(*slot + 1)) {
      if (keys->size() == limit || looked_at++ >= kSlotsPerScanStep) return true;
      const Entry& entry = EntryInSlot(page->SlotAt(*slot));
      if (entry.key().bytes().starts_with(prefix)) keys->Add(entry);
    }
  }
  return false;
}

bool Shard::Collect(WalkPosition* position, absl::FunctionRef<bool(std::string_view)> chosen,
                    KeyBatch* keys) {
  MutexLock lock(&mutex_);
  size_t bytes = 0, looked_at = 0, looked_at_bytes = 0;
  uint32_t full_pages = 0, pages = 0;
  bool is_full = false;
  position->page_count = slots_.page_count();
  while (position->page < position->page_count && !is_full) {
    Page* const page = slots_.page(position->page);
    const size_t keys_before = keys->size();
    if (page != nullptr) position->slot = page->NextLive(position->slot);
    while (page != nullptr && position->slot < page->slot_count && !is_full) {
      const Entry& entry = EntryInSlot(page->SlotAt(position->slot));
      const std::string_view key = entry.key().bytes();
      looked_at_bytes += key.size();
      if (chosen(key)) {
        keys->Add(entry);
        bytes += entry.memory_bytes();
      }
      is_full = keys->size() >= kKeysPerBatch || bytes >= kBytesPerBatch ||
                ++looked_at >= kKeysLookedAtPerBatch || looked_at_bytes >= kKeyBytesPerBatch;
      position->slot = page->NextLive(position->slot + 1);
    }
    full_pages += keys->size() > keys_before;
    if (page == nullptr || position->slot >= page->slot_count) {
      ++position->page;
      position->slot = 0;
    }
    is_full |= full_pages == kFullPagesPerBatch || ++pages == kPagesPerBatch;
  }
  return position->page < position->page_count;
}

bool Shard::Flush(WalkPosition* position, uint64_t* deleted) {
  KeyBatch& keys = KeyBatch::OfThisThread();
  const bool more = Collect(
      position, [](std::string_view) { return true; }, &keys);
  EraseInTurn(keys, [&](size_t i) {
    Remains remains;
    SpinMutex::scoped_lock key_lock(LockOf(keys[i].hash));
    Entry* const entry = Find(keys[i]);
    if (entry == nullptr) return;
    const bool expired = Expired(*entry);
    if (expired) CountExpiredOnAccess();
    *deleted += !expired;
    Erase(entry, expired ? EventKind::kExpire : EventKind::kDelete, &remains);
  });
  return more;
}

bool Shard::Drop(WalkPosition* position, absl::FunctionRef<bool(std::string_view)> chosen,
                 uint64_t* dropped) {
  KeyBatch& keys = KeyBatch::OfThisThread();
  const bool more = Collect(position, chosen, &keys);
  EraseInTurn(keys, [&](size_t i) {
    Remains remains;
    SpinMutex::scoped_lock key_lock(LockOf(keys[i].hash));
    Entry* const entry = Find(keys[i]);
    if (entry == nullptr) return;
    ++*dropped;
    Erase(entry, std::nullopt, &remains);
  });
  return more;
}

size_t Shard::CountExpired() {
  const Moment now(*context_.clock);
  size_t count = 0;
  for (uint32_t number = 0;; ++number) {
    MutexLock lock(&mutex_);
    if (number >= slots_.page_count()) return count;
    Page* page = slots_.page(number);
    if (page == nullptr || !IsDue(*page, now)) continue;
    for (uint32_t slot = page->NextLive(0); slot < page->slot_count;
         slot = page->NextLive(slot + 1)) {
      const int64_t at_ms = EntryInSlot(page->SlotAt(slot)).expires_at_ms();
      count += at_ms != 0 && LeftMs(at_ms, now) <= 0;
    }
  }
}

}  // namespace ferrite
