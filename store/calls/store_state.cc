#include "store/calls/store_state.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <thread>

#include "base/check.h"

namespace ferrite {
namespace {

constexpr size_t kMaxShards = 4096;
// Single entries that one write may evict without a visible gain, before it clears a whole page.
constexpr int kMaxFruitlessEvictions = 32;
// A write that has freed so much, or as much as it takes, goes on even if others were faster to use
// it or the memory is not in one piece yet; and so does one that has evicted so many, or as many as
// there are of the smallest entries in what it takes. The memory is above the limit for a while
// then, and the writes that follow, and the sweep, take it back, each a bounded part. So no write
// pays for all others: an eviction takes about a microsecond.
constexpr size_t kEnoughBytes = 2 * kPageBytes;
constexpr size_t kEnoughEvictions = 512;
// How much of what is above the limit one write takes back.
constexpr size_t kExcessStepBytes = kPageBytes;
// What the choice of a page to empty counts for, in evictions.
constexpr size_t kPageChoiceEvictions = 64;

// Each shard has pages of each size class that is in use: with fewer pages than that, classes would
// take them from one another all the time. This is four times as many.
constexpr size_t kMinShardBytes = 4 * kSizeClassCount * kPageBytes;

// What hints can name of one shard: entries beyond that would be found, but slowly.
constexpr size_t kMaxShardBytes = (HintTable::kEndRef >> kSlotBits) * kPageBytes;

size_t PhysicalBytes() {
  return static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

size_t ShardCount(const StoreOptions& options) {
  size_t count = options.shards;
  size_t most_bytes = options.max_memory_bytes;
  if (count == 0) {
    count = 4 * std::max(1u, std::thread::hardware_concurrency());
    if (most_bytes != 0) {
      count = std::min(count, std::bit_floor(std::max<size_t>(1, most_bytes / kMinShardBytes)));
    } else {
      most_bytes = PhysicalBytes();
    }
  }
  count = std::max(count, (most_bytes + kMaxShardBytes - 1) / kMaxShardBytes);
  return std::bit_ceil(std::clamp<size_t>(count, 1, kMaxShards));
}

}  // namespace

StoreState::StoreState(const StoreOptions& options)
    : context(options.clock, options.max_memory_bytes, options.evict),
      counts_uses(options.evict && options.max_memory_bytes != 0) {
  shards.resize(ShardCount(options));
  context.shard_count = shards.size();
  context.budget.table_bytes = context.hints.memory_bytes();
  for (size_t i = 0; i < shards.size(); ++i) shards[i] = std::make_unique<Shard>(&context, i);
  shard_mask_ = shards.size() - 1;
}

void* StoreState::TakeSlot(Shard* shard, uint8_t size_class) {
  void* slot = nullptr;
  EvictUntil(shard, kEnoughBytes, kEnoughEvictions, [&](bool enough) {
    slot = shard->TakeSlot(size_class, enough);
    return slot != nullptr;
  });
  return slot;
}

bool StoreState::MakeRoomForBlock(Shard* shard, size_t value_size) {
  const MemoryBudget& budget = context.budget;
  const size_t bytes = ValueBlock::MemoryBytes(value_size);
  if (budget.limit_bytes != 0 && bytes > budget.limit_bytes) return false;
  const size_t evictions = std::max(bytes / SlotBytes(0), kEnoughEvictions);
  return EvictUntil(shard, std::max(bytes, kEnoughBytes), evictions, [&](bool enough) {
    const size_t new_bytes = ValueBlock::NewMemoryBytes(value_size);
    return enough || new_bytes == 0 || budget.Allows(new_bytes);
  });
}

void StoreState::TakeBackExcess(Shard* shard) {
  EvictUntil(shard, kExcessStepBytes, kEnoughEvictions,
             [&](bool enough) { return enough || !context.budget.IsExceeded(); });
}

template <typename Done>
bool StoreState::EvictUntil(Shard* shard, size_t enough_bytes, size_t enough_evictions, Done done) {
  size_t freed_bytes = 0, evictions = 0;
  int fruitless = 0;
  for (size_t attempt = 0;; ++attempt) {
    if (done(freed_bytes >= enough_bytes || evictions >= enough_evictions)) return true;
    if (!context.evict || evictions >= enough_evictions) return false;
    // One entry at a time while that frees memory or its slot fits; else whole pages, which any
    // class can use.
    const bool wants_page = fruitless >= kMaxFruitlessEvictions;
    const size_t part = enough_evictions - evictions;
    Evicted evicted = wants_page ? shard->EvictPage(part) : shard->EvictOne();
    if (!evicted.had_victims && wants_page) {
      // No page that is worth little: looking again at once would be in vain.
      fruitless = 0;
      evicted = shard->EvictOne();
    }
    if (!evicted.had_victims) {
      // Nothing to evict here, so the memory is with the others.
      Shard& other = *shards[(shard->number() + 1 + attempt) % shards.size()];
      evicted = other.EvictPage(part);
      if (!evicted.had_victims) evicted = other.EvictOne();
    }
    freed_bytes += evicted.freed_bytes;
    evictions += std::max<size_t>(evicted.entries, 1) + (wants_page ? kPageChoiceEvictions : 0);
    if (!wants_page) fruitless = evicted.freed_bytes > 0 ? 0 : fruitless + 1;
  }
}

int64_t StoreState::ExpiresSomeTimeMs(const Expiry& expiry, int64_t kept_ms) const {
  switch (expiry.kind) {
    case Expiry::Kind::kNever:
      return 0;
    case Expiry::Kind::kKeep:
      return kept_ms;
    case Expiry::Kind::kAfter:
      FERRITE_CHECK(expiry.ms > 0 && expiry.ms <= kMaxTtlMs);
      return context.clock->MonotonicMs() + expiry.ms;
    case Expiry::Kind::kAt:
      // A time that has passed meanwhile makes an entry that is gone at once.
      return context.clock->MonotonicMs() +
             std::clamp<int64_t>(expiry.ms - context.clock->UnixMs(), 0, kMaxTtlMs);
  }
  FERRITE_CHECK(false);
  return 0;
}

std::optional<int64_t> StoreState::TtlMs(const Entry& entry) const {
  const int64_t at_ms = entry.expires_at_ms();
  if (at_ms == 0) return std::nullopt;
  return std::max<int64_t>(1, at_ms - context.clock->MonotonicMs());
}

}  // namespace ferrite
