#include "store/calls/evictor.h"

#include <algorithm>

#include "store/calls/entry_reader.h"

namespace ferrite {
namespace {

// Single entries that are evicted without a visible gain before whole pages are.
constexpr int kMaxFruitlessEvictions = 32;
constexpr size_t kEnoughBytes = 2 * kPageBytes;
// How much of what is above the limit one write takes back: less than it may evict for itself, as
// it may do both.
constexpr size_t kExcessStepBytes = kPageBytes;
constexpr size_t kExcessStepEntries = 192;
// While memory goes down to a new limit, one write of so many takes a step, as otherwise a batch
// would take a thousand.
constexpr uint32_t kWritesPerStep = 64;
// A step of the sweep keeps no caller waiting, and takes back five times as much.
constexpr size_t kSweepShare = 5;
// What the choice of a page to empty counts for, in evictions.
constexpr size_t kPageChoiceWork = 64;

}  // namespace

void* Evictor::TakeSlot(uint8_t size_class) {
  void* slot = nullptr;
  EvictUntil(kEnoughBytes, kEnoughEntries, [&](bool enough) {
    slot = shard_->TakeSlot(size_class, enough);
    return slot != nullptr;
  });
  return slot;
}

bool Evictor::MakeRoomForBlock(size_t value_size, const LocatedKey& key) {
  const MemoryBudget& budget = state_.context.budget;
  const size_t bytes = ValueBlock::MemoryBytes(value_size);
  const size_t limit_bytes = budget.limit_bytes();
  if (limit_bytes != 0 && bytes > limit_bytes) return false;
  const size_t work = std::max(bytes / SlotBytes(0), kEnoughEntries);
  // The old block is there until the new one takes its place, so that readers find one of them: for
  // that moment the process has both. Others, or this, may evict it meanwhile.
  size_t replaced = 1;  // not known yet
  return EvictUntil(std::max(bytes, kEnoughBytes), work, [&](bool enough) {
    const size_t new_bytes = ValueBlock::NewMemoryBytes(value_size);
    const bool takes_nothing = new_bytes == 0 && state_.context.evict;
    if (enough || takes_nothing || budget.Allows(new_bytes)) return true;
    if (replaced != 0) replaced = EntryReader(state_, key).LockAndWeigh().block_bytes;
    if (replaced == 0) return false;
    return bytes <= replaced || budget.Allows(new_bytes - std::min(new_bytes, replaced));
  });
}

void Evictor::TakeBackExcess() {
  MemoryBudget& budget = state_.context.budget;
  if (!state_.context.evict || !budget.IsExceeded()) return;
  if (budget.is_shrinking.load(std::memory_order_relaxed)) {
    thread_local uint32_t writes = 0;
    if (writes++ % kWritesPerStep != 0) return;
  }
  TakeBackExcess(kExcessStepBytes, kExcessStepEntries);
}

void Evictor::SweepExcess() {
  MemoryBudget& budget = state_.context.budget;
  if (!budget.IsExceeded()) budget.is_shrinking.store(false, std::memory_order_relaxed);
  TakeBackExcess(kSweepShare * kExcessStepBytes, kSweepShare * kExcessStepEntries);
}

void Evictor::TakeBackExcess(size_t enough_bytes, size_t enough_work) {
  const MemoryBudget& budget = state_.context.budget;
  if (!state_.context.evict || !budget.IsExceeded()) return;
  EvictUntil(enough_bytes, enough_work,
             [&](bool enough) { return enough || !budget.IsExceeded(); });
}

template <typename Done>
bool Evictor::EvictUntil(size_t enough_bytes, size_t enough_work, Done done) {
  freed_bytes_ = work_ = attempts_ = 0;
  fruitless_ = 0;
  for (;;) {
    if (done(freed_bytes_ >= enough_bytes || work_ >= enough_work)) return true;
    if (!state_.context.evict || work_ >= enough_work) return false;
    EvictSome(enough_work - work_);
  }
}

void Evictor::EvictSome(size_t max_entries) {
  const bool wants_page = fruitless_ >= kMaxFruitlessEvictions;
  Evicted evicted = wants_page ? shard_->EvictPage(max_entries) : shard_->EvictOne();
  if (!evicted.had_victims && wants_page) {
    // No page that is worth little: looking again at once would be in vain.
    fruitless_ = 0;
    evicted = shard_->EvictOne();
  }
  if (!evicted.had_victims) {
    // Nothing to evict here, so the memory is with the others.
    Shard& other = *state_.shards[(shard_->number() + 1 + attempts_) % state_.shards.size()];
    evicted = other.EvictPage(max_entries);
    if (!evicted.had_victims) evicted = other.EvictOne();
  }
  ++attempts_;
  vain_attempts_ = evicted.had_victims ? 0 : vain_attempts_ + 1;
  is_within_page_ = evicted.page_is_half_empty;
  freed_bytes_ += evicted.freed_bytes;
  entries_ += std::max<size_t>(evicted.entries, 1);
  work_ += std::max<size_t>(evicted.entries, 1) + (wants_page ? kPageChoiceWork : 0);
  if (!wants_page) fruitless_ = evicted.freed_bytes > 0 ? 0 : fruitless_ + 1;
}

void Evictor::TurnToNextShard() {
  if (is_within_page_) return;
  shard_ = state_.shards[(shard_->number() + 1) % state_.shards.size()].get();
}

}  // namespace ferrite
