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

bool StoreState::PrepareSlot(Shard* shard, uint8_t size_class) {
  FERRITE_CHECK(prepared_slot == nullptr);
  return EvictUntil(shard, [&] {
    prepared_slot = shard->TakeSlot(size_class);
    return prepared_slot != nullptr;
  });
}

bool StoreState::MakeRoom(Shard* shard, size_t bytes) {
  const MemoryBudget& budget = context.budget;
  if (budget.limit_bytes != 0 && bytes > budget.limit_bytes) return false;
  return EvictUntil(shard, [&] { return budget.Allows(bytes); });
}

template <typename Done>
bool StoreState::EvictUntil(Shard* shard, Done done) {
  int fruitless = 0;
  for (int attempt = 0; attempt < kMaxEvictions; ++attempt) {
    if (done()) return true;
    if (!context.evict) return false;
    // One entry at a time while that frees memory or its slot fits; else a whole page, which any
    // class can use.
    const size_t used_bytes = context.budget.used_bytes();
    const bool evicted =
        fruitless < kMaxFruitlessEvictions ? shard->EvictOne() : shard->EvictPage();
    fruitless = context.budget.used_bytes() < used_bytes ? 0 : fruitless + 1;
    // Nothing to evict here, so the memory is with the others.
    if (!evicted) shards[attempt % shards.size()]->EvictPage();
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
