#include "store/shard/shard.h"

#include <algorithm>
#include <utility>

#include "absl/base/attributes.h"
#include "base/check.h"

namespace ferrite {
namespace {

// How many hints an insertion moves while their table grows.
constexpr int kMovesPerInsertion = 8;

// A shard with fewer pages than this has many free slots beside what it holds, as half a page of
// each size class is free.
constexpr uint32_t kFewPages = 8 * kSizeClassCount;

}  // namespace

void* Shard::TakeSlot(uint8_t size_class, bool beyond_limit) {
  {
    MutexLock lock(&mutex_);
    if (void* slot = slots_.Allocate(size_class)) return slot;
  }
  void* memory = context_.pages.Acquire(beyond_limit);
  if (memory == nullptr) {
    MutexLock lock(&mutex_);
    return slots_.page_count() < kFewPages ? slots_.AllocateLarger(size_class) : nullptr;
  }
  Page* const page = SlotAllocator::MakePage(size_class, memory);
  {
    MutexLock lock(&mutex_);
    if (slots_.AddPage(page)) return slots_.Allocate(size_class);
  }
  context_.pages.Release(page);
  return nullptr;
}

void Shard::ReturnSlot(void* slot, Remains* remains) {
  MutexLock lock(&mutex_);
  remains->shard = this;
  remains->empty_page = slots_.Free(slot);
}

void Remains::GiveBackPage() { shard->GiveBack(empty_page); }

void Shard::GiveBack(void* empty_page) {
  pages_given_back_.fetch_add(1, std::memory_order_seq_cst);
  context_.pages.Release(empty_page);
}

Entry* Shard::FindInMap(const LookupKey& key) {
  Entry* const entry = map_.Find(key);
  if (entry != nullptr) Hint(*entry);
  return entry;
}

Entry* Shard::Insert(const LookupKey& key, uint8_t size_class, void* slot) {
  Entry* entry;
  {
    MutexLock lock(&mutex_);
    if (slot == nullptr) slot = slots_.Allocate(size_class);
    if (slot == nullptr) return nullptr;
    Page* const page = Page::Of(slot);
    nodes_.PrepareSlot(slot);
    // The caller, which found that the key is not there, has just been to the same bucket, so this
    // waits for no memory.
    entry = map_.Insert({key.bytes, key.hash, page->size_class});
    page->set_live(page->SlotNumberOf(slot));
    queue_.Add(entry);
    GrowTables();
  }
  Hint(*entry);
  return entry;
}

ABSL_ATTRIBUTE_NO_SANITIZE_THREAD void Shard::PrefetchNeighbours(const char* slot) const {
  for (const SlotRef ref : EntryInSlot(slot).GlanceAtNeighbours()) {
    if (const char* neighbour = places().pages.SlotAt(ref)) __builtin_prefetch(neighbour);
  }
}

void Shard::GrowTables() {
  MemoryBudget& budget = context_.budget;
  HintTable& hints = context_.hints;
  // Where nothing can be evicted for them, tables are only as large as there is room; they work
  // when they are full too.
  map_.Grow(context_.evict || budget.Allows(map_.next_growth_bytes()));
  if (context_.evict || budget.Allows(hints.memory_bytes())) {
    // Keys spread evenly, so that one shard speaks for all.
    const size_t grown_bytes = hints.GrowFor(map_.size() * context_.shard_count);
    // All shards share this count.
    if (grown_bytes != 0) [[unlikely]]
      budget.table_bytes.fetch_add(grown_bytes, std::memory_order_relaxed);
  }
  if (hints_bytes_ != hints.memory_bytes()) {
    hints_bytes_ = hints.memory_bytes();
    next_to_move_ = 0;
    moving_ = true;
  }
  if (!moving_) return;
  // Half of the hints are in the wrong half of a table that has doubled: put them in their places,
  // a few with each insertion.
  for (int step = 0; step < kMovesPerInsertion && next_to_move_ >> kSlotBits < slots_.page_count();
       ++step) {
    Page* page = slots_.page(next_to_move_ >> kSlotBits);
    const uint32_t slot = page == nullptr ? 0 : page->NextLive(next_to_move_ % kMaxSlotsPerPage);
    if (page == nullptr || slot == page->slot_count) {
      next_to_move_ = ((next_to_move_ >> kSlotBits) + 1) << kSlotBits;
      continue;
    }
    const SlotRef ref = page->number << kSlotBits | slot;
    hints.Move(EntryInSlot(page->SlotAt(slot)).key().hash(), ref);
    next_to_move_ = (next_to_move_ >> kSlotBits << kSlotBits) + slot + 1;
  }
  moving_ = next_to_move_ >> kSlotBits < slots_.page_count();
  if (!moving_) hints.AddPart(number_, context_.shard_count, &context_.huge);
}

void Shard::Hint(const Entry& entry) {
  const Page* page = Page::Of(&entry);
  const SlotRef ref = page->number << kSlotBits | page->SlotNumberOf(SlotOfEntry(entry));
  context_.hints.Put(entry.key().hash(), ref);
}

void Shard::Erase(Entry* entry, std::optional<EventKind> reason, Remains* remains) {
  remains->shard = this;
  remains->block.reset(entry->SetInline({}));
  if (remains->block != nullptr) {
    context_.budget.block_bytes.fetch_sub(ValueBlock::MemoryBytes(remains->block->bytes().size()),
                                          std::memory_order_relaxed);
  }
  const uint64_t version = entry->version();
  if (version != 0 && reason.has_value()) Tell(*reason, *entry);
  map_.Erase(entry->key());
  void* const slot = SlotOfEntry(*entry);
  Page* const page = Page::Of(slot);
  MutexLock lock(&mutex_);
  if (version_floor_.load(std::memory_order_relaxed) < version) {
    version_floor_.store(version, std::memory_order_relaxed);
  }
  page->clear_live(page->SlotNumberOf(slot));
  queue_.Remove(entry);
  context_.hints.Remove(entry->key().hash(), slots_.RefOf(slot));
  remains->empty_page = slots_.Free(slot);
}

void Shard::TellListener(EventListener* listener, EventKind kind, const Entry& entry) {
  telling.told = listener;
  StoreEvent event = {kind, entry.key().bytes(), entry.version(), {}};
  if (kind == EventKind::kSet || kind == EventKind::kIncr) {
    event.value = entry.value();
    event.block = entry.BlockOrNull();
  }
  listener->OnEvent(event);
}

void Shard::TellAndUnlock(EventListener* listener, EventKind kind, const Entry& entry,
                          SpinMutex* mutex) {
  TellListener(listener, kind, entry);
  mutex->Unlock();
  CallAfterEvents();
}

void Shard::WaitForWriters() {
  for (KeyLock& key_lock : key_locks_) {
    key_lock.mutex.Lock();
    key_lock.mutex.Unlock();
  }
}

uint64_t Shard::NextVersion(uint64_t last) const {
  if (last == 0) last = version_floor_.load(std::memory_order_relaxed);
  const uint64_t ceiling = context_.version_ceiling.load(std::memory_order_relaxed);
  return std::max(last + 1, std::min(ceiling, static_cast<uint64_t>(context_.clock->UnixUs())));
}

void Shard::RaiseVersionFloor(uint64_t version) {
  MutexLock lock(&mutex_);
  if (version_floor_.load(std::memory_order_relaxed) < version)
    version_floor_.store(version, std::memory_order_relaxed);
}

void Shard::SetExpiry(Entry* entry, int64_t at_ms) const {
  entry->set_expires_at_ms(at_ms);
  // The sweep resets the page's times before it reads the entries: either it reads this expiry, or
  // this comes after.
  if (at_ms != 0) NoteExpiry(Page::Of(entry), at_ms);
}

void Shard::NoteExpiry(Page* page, int64_t at_ms) {
  if (IsByWallClock(at_ms)) {
    page->due_by_wall_clock.Add(UnixMsOf(at_ms));
  } else {
    page->due_by_steady_clock.Add(at_ms);
  }
}

bool Shard::ExpireForGood(Entry* entry) const {
  const int64_t at_ms = entry->expires_at_ms();
  if (at_ms == 0 || LeftMs(at_ms, *context_.clock) > 0) return false;
  // The steady clock never goes back.
  const int64_t now_ms = context_.clock->MonotonicMs();
  if (IsByWallClock(at_ms)) SetExpiry(entry, std::max<int64_t>(now_ms, 1));  // 0 is never
  return true;
}

}  // namespace ferrite
