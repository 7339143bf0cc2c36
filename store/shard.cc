#include "store/shard.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>

#include "store/check.h"

namespace ferrite {
namespace {

// How much one bounded step looks at.
constexpr uint32_t kPagesPerSweepStep = 1024;
constexpr uint32_t kSlotsPerScanStep = 4096;
constexpr int kMovesPerInsertion = 8;
// How many pages are compared before one is emptied, and how many entries of each.
constexpr int kPagesToChooseFrom = 64;
constexpr uint32_t kEntriesToLookAt = 8;
constexpr size_t kNotToBeEmptied = std::numeric_limits<size_t>::max();

// Bucket arrays from this size on lie in huge pages; a map's first few are small.
constexpr size_t kMinHugeTableBytes = size_t{16} << 10;

// Reused by whoever walks slots on this thread, so that a walk allocates nothing in the long run.
KeyBatch& ThreadKeyBatch() {
  thread_local KeyBatch batch;
  batch.Clear();
  return batch;
}

}  // namespace

void* TakePreparedSlot() {
  FERRITE_CHECK(prepared_slot != nullptr);
  return std::exchange(prepared_slot, nullptr);
}

void ReturnNode(Shard* shard, void* node) { shard->ReturnSlot(node); }

void* AllocateBuckets(Shard* shard, size_t bytes) {
  shard->context_.budget.table_bytes.fetch_add(bytes, std::memory_order_relaxed);
  if (bytes >= kMinHugeTableBytes) return shard->context_.tables.Allocate(bytes);
  void* buckets = std::malloc(bytes);
  FERRITE_CHECK(buckets != nullptr);
  return buckets;
}

void BucketsFilled(Shard* shard, void* buckets, size_t bytes) {
  shard->context_.huge.Add(buckets, bytes);
}

void FreeBuckets(Shard* shard, void* buckets, size_t bytes) {
  shard->context_.budget.table_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  if (bytes < kMinHugeTableBytes) std::free(buckets);
}

void* Shard::TakeSlot(uint8_t size_class, bool beyond_limit) {
  {
    MutexLock lock(&mutex_);
    if (void* slot = slots_.Allocate(size_class)) return slot;
  }
  void* page = context_.pages.Acquire(beyond_limit);
  MutexLock lock(&mutex_);
  if (page == nullptr) {
    return slots_.page_count() < kSizeClassCount ? slots_.AllocateLarger(size_class) : nullptr;
  }
  slots_.AddPage(size_class, page);
  return slots_.Allocate(size_class);
}

void Shard::ReturnSlot(void* slot) {
  void* empty_page;
  {
    MutexLock lock(&mutex_);
    empty_page = slots_.Free(slot);
  }
  if (empty_page == nullptr) return;
  pages_given_back_.fetch_add(1, std::memory_order_seq_cst);
  context_.pages.Release(empty_page);
}

Entry* Shard::FindInMap(const LookupKey& key) {
  Entry* entry;
  {
    EntryMap::accessor accessor;
    if (!map_.find(accessor, key)) return nullptr;
    entry = &accessor->second;
  }
  Hint(*entry);
  return entry;
}

Entry* Shard::Insert(const LookupKey& key) {
  Entry* entry;
  {
    EntryMap::accessor accessor;
    FERRITE_CHECK(map_.insert(accessor, key));
    entry = &accessor->second;
  }
  Hint(*entry);
  void* slot = SlotOfEntry(*entry);
  Page* page = Page::Of(slot);
  MutexLock lock(&mutex_);
  page->set_live(page->SlotNumberOf(slot));
  queue_.Add(entry);
  GrowTables();
  return entry;
}

void Shard::GrowTables() {
  MemoryBudget& budget = context_.budget;
  HintTable& hints = context_.hints;
  // Where nothing can be evicted for them, tables are only as large as there is room; they work
  // when they are full too.
  map_.Grow(context_.evict || budget.Allows(map_.next_growth_bytes()));
  if (context_.evict || budget.Allows(hints.memory_bytes())) {
    // Keys spread evenly, so that one shard speaks for all.
    budget.table_bytes.fetch_add(hints.GrowFor(map_.size() * context_.shard_count),
                                 std::memory_order_relaxed);
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

void Shard::Erase(Entry* entry, EventKind reason) {
  entry->SetNotLive();
  uint64_t floor = version_floor_.load(std::memory_order_relaxed);
  while (floor < entry->version() &&
         !version_floor_.compare_exchange_weak(floor, entry->version())) {
  }
  if (entry->HasBlock()) {
    context_.budget.block_bytes.fetch_sub(ValueBlock::MemoryBytes(entry->value().size()),
                                          std::memory_order_relaxed);
  }
  if (entry->version() != 0) Tell(reason, *entry);
  void* slot = SlotOfEntry(*entry);
  Page* page = Page::Of(slot);
  {
    MutexLock lock(&mutex_);
    page->clear_live(page->SlotNumberOf(slot));
    queue_.Remove(entry);
    context_.hints.Remove(entry->key().hash(), slots_.RefOf(slot));
  }
  FERRITE_CHECK(map_.erase(entry->key()));
}

void Shard::TellListener(EventListener* listener, EventKind kind, const Entry& entry) {
  const bool written = kind == EventKind::kSet || kind == EventKind::kIncr;
  listener->OnEvent(
      {kind, entry.key().bytes(), entry.version(), written ? entry.value() : std::string_view()});
}

uint64_t Shard::NextVersion(uint64_t last) const {
  if (last == 0) last = version_floor_.load(std::memory_order_relaxed);
  return std::max(last + 1, static_cast<uint64_t>(context_.clock->UnixNs()));
}

void Shard::SetExpiry(Entry* entry, int64_t at_ms) {
  entry->set_expires_at_ms(at_ms);
  if (at_ms == 0) return;
  // The sweep resets `next_due_ms` before it reads the entries: either it reads this expiry, or
  // this lowers the bound after.
  std::atomic<int64_t>& next_due_ms = Page::Of(entry)->next_due_ms;
  int64_t due = next_due_ms.load();
  while (at_ms < due && !next_due_ms.compare_exchange_weak(due, at_ms)) {
  }
}

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
  KeyBatch& victims = ThreadKeyBatch();
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
  const uint32_t step = std::max<uint32_t>(1, page->slot_count / kEntriesToLookAt);
  size_t looked_at = 0, worth = 0, blocks = 0;
  for (uint32_t slot = page->NextLive(0); slot < page->slot_count;
       slot = page->NextLive(slot + step)) {
    const Entry& entry = EntryInSlot(page->SlotAt(slot));
    worth += static_cast<size_t>(queue_.Worth(entry));
    blocks += entry.HasBlock();
    ++looked_at;
  }
  // Without an entry that is in the map all are being written or deleted; and the large values that
  // a page's entries may have are much more than the page.
  if (looked_at == 0 || blocks > 0) return kNotToBeEmptied;
  return worth * kPrecision / looked_at;
}

std::optional<size_t> Shard::EvictPage() {
  KeyBatch& victims = ThreadKeyBatch();
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

bool Shard::Sweep(uint32_t* page_number) {
  KeyBatch& due = ThreadKeyBatch();
  const int64_t now_ms = context_.clock->MonotonicMs();
  bool more;
  {
    MutexLock lock(&mutex_);
    Page* page = nullptr;
    const uint32_t end = slots_.page_count();
    const uint32_t stop = std::min(end, *page_number + kPagesPerSweepStep);
    while (page == nullptr && *page_number < stop) {
      page = slots_.page((*page_number)++);
      if (page != nullptr && page->next_due_ms.load() > now_ms) page = nullptr;
    }
    more = *page_number < end;
    if (page == nullptr) return more;
    int64_t next_due_ms = kNeverDue;
    page->next_due_ms.store(kNeverDue);
    for (uint32_t slot = page->NextLive(0); slot < page->slot_count;
         slot = page->NextLive(slot + 1)) {
      const Entry& entry = EntryInSlot(page->SlotAt(slot));
      const int64_t at_ms = entry.expires_at_ms();
      if (at_ms == 0) continue;
      if (at_ms <= now_ms) {
        due.Add(entry);
      } else {
        next_due_ms = std::min(next_due_ms, at_ms);
      }
    }
    int64_t bound = page->next_due_ms.load();
    while (next_due_ms < bound && !page->next_due_ms.compare_exchange_weak(bound, next_due_ms)) {
    }
  }
  for (size_t i = 0; i < due.size(); ++i) {
    SpinMutex::scoped_lock key_lock(LockOf(due[i].hash));
    Entry* const entry = Find(due[i]);
    if (entry == nullptr || !Expired(*entry)) continue;
    Erase(entry, EventKind::kExpire);
    expired_by_sweep_.fetch_add(1, std::memory_order_relaxed);
  }
  return more;
}

bool Shard::Scan(std::string_view prefix, size_t limit, uint32_t* page_number, uint32_t* slot,
                 KeyBatch* keys) {
  MutexLock lock(&mutex_);
  uint32_t looked_at = 0;
  for (; *page_number < slots_.page_count(); ++*page_number, *slot = 0) {
    Page* page = slots_.page(*page_number);
    ++looked_at;
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

size_t Shard::CountExpired() {
  const int64_t now_ms = context_.clock->MonotonicMs();
  size_t count = 0;
  for (uint32_t number = 0;; ++number) {
    MutexLock lock(&mutex_);
    if (number >= slots_.page_count()) return count;
    Page* page = slots_.page(number);
    if (page == nullptr || page->next_due_ms.load() > now_ms) continue;
    for (uint32_t slot = page->NextLive(0); slot < page->slot_count;
         slot = page->NextLive(slot + 1)) {
      count += EntryInSlot(page->SlotAt(slot)).Expired([now_ms] { return now_ms; });
    }
  }
}

}  // namespace ferrite
