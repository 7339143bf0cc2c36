#include "store/store_state.h"

#include <algorithm>
#include <bit>
#include <thread>

#include "store/check.h"

namespace ferrite {
namespace {

constexpr size_t kMaxShards = 4096;
// Single entries that one write may evict without a visible gain, before it clears a whole page.
constexpr int kMaxFruitlessEvictions = 32;
// A write that has freed so much, or as much as it takes, or evicted so many, goes on even if
// others were faster to use it or the memory is not in one piece yet. The memory is above the limit
// for a while then, and the writes that follow take it back, each as much. So no write pays for all
// others.
constexpr size_t kEnoughBytes = 2 * kPageBytes;
constexpr int kEnoughEvictions = 1024;
// How much of what is above the limit one write takes back.
constexpr size_t kExcessStepBytes = kPageBytes;
// What one write may try in all.
constexpr int kMaxEvictions = 4096;

// Each shard has pages of each size class that is in use: with fewer pages than that, classes would
// take them from one another all the time. This is four times as many.
constexpr size_t kMinShardBytes = 4 * kSizeClassCount * kPageBytes;

size_t ShardCount(const StoreOptions& options) {
  size_t count = options.shards;
  if (count == 0) {
    count = 4 * std::max(1u, std::thread::hardware_concurrency());
    const size_t limit = options.max_memory_bytes;
    if (limit != 0)
      count = std::min(count, std::bit_floor(std::max<size_t>(1, limit / kMinShardBytes)));
  }
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
  shard_shift_ = 63 - std::countr_zero(shards.size());
}

void* StoreState::TakeSlot(Shard* shard, uint8_t size_class) {
  void* slot = nullptr;
  EvictUntil(shard, kEnoughBytes, [&](bool enough) {
    slot = shard->TakeSlot(size_class, enough);
    return slot != nullptr;
  });
  return slot;
}

bool StoreState::MakeRoomForBlock(Shard* shard, size_t value_size) {
  const MemoryBudget& budget = context.budget;
  const size_t bytes = ValueBlock::MemoryBytes(value_size);
  if (budget.limit_bytes != 0 && bytes > budget.limit_bytes) return false;
  return EvictUntil(shard, std::max(bytes, kEnoughBytes), [&](bool enough) {
    const size_t new_bytes = ValueBlock::NewMemoryBytes(value_size);
    return enough || new_bytes == 0 || budget.Allows(new_bytes);
  });
}

void StoreState::TakeBackExcess(Shard* shard) {
  EvictUntil(shard, kExcessStepBytes,
             [&](bool enough) { return enough || !context.budget.IsExceeded(); });
}

template <typename Done>
bool StoreState::EvictUntil(Shard* shard, size_t enough_bytes, Done done) {
  size_t freed_bytes = 0;
  int fruitless = 0;
  for (int attempt = 0; attempt < kMaxEvictions; ++attempt) {
    if (done(freed_bytes >= enough_bytes || attempt >= kEnoughEvictions)) return true;
    if (!context.evict) return false;
    // One entry at a time while that frees memory or its slot fits; else whole pages, which any
    // class can use.
    const bool wants_page = fruitless >= kMaxFruitlessEvictions;
    std::optional<size_t> freed = wants_page ? shard->EvictPage() : shard->EvictOne();
    if (!freed.has_value() && wants_page) {
      // No page that is worth little: looking again at once would be in vain.
      fruitless = 0;
      freed = shard->EvictOne();
    }
    if (!freed.has_value()) {
      // Nothing to evict here, so the memory is with the others.
      Shard& other = *shards[attempt % shards.size()];
      freed = other.EvictPage();
      if (!freed.has_value()) freed = other.EvictOne();
    }
    freed_bytes += freed.value_or(0);
    if (!wants_page) fruitless = freed.value_or(0) > 0 ? 0 : fruitless + 1;
  }
  return false;
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
