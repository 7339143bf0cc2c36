#include "store/shard.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "store/check.h"

namespace ferrite {
namespace {

// How many hints an insertion moves while their table grows.
constexpr int kMovesPerInsertion = 8;

// A shard with fewer pages than this has many free slots beside what it holds, as half a page of
// each size class is free.
constexpr uint32_t kFewPages = 8 * kSizeClassCount;

// Bucket arrays from this size on lie in huge pages; a map's first few are small.
constexpr size_t kMinHugeTableBytes = size_t{16} << 10;

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
    return slots_.page_count() < kFewPages ? slots_.AllocateLarger(size_class) : nullptr;
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

}  // namespace ferrite
