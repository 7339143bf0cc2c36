#include "store/calls/store_state.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <thread>

#include "base/check.h"

namespace ferrite {
namespace {

constexpr size_t kMaxShards = 4096;
// Nobody who leaves the number of shards open gets shards that have but the least.
constexpr size_t kGoodShardBytes = 4 * kMinShardBytes;

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
      count = std::min(count, std::bit_floor(std::max<size_t>(1, most_bytes / kGoodShardBytes)));
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
      counts_uses_(options.evict && options.max_memory_bytes != 0) {
  shards.resize(ShardCount(options));
  context.shard_count = shards.size();
  context.budget.table_bytes = context.hints.memory_bytes();
  for (size_t i = 0; i < shards.size(); ++i) shards[i] = std::make_unique<Shard>(&context, i);
  shard_mask_ = shards.size() - 1;
}

void StoreState::SetLimit(size_t bytes) {
  MutexLock lock(&limit_mutex_);
  counts_uses_.store(context.evict && bytes != 0, std::memory_order_relaxed);
  context.budget.SetLimit(bytes);
}

void StoreState::SetEviction(bool evict) {
  MutexLock lock(&limit_mutex_);
  context.evict.store(evict, std::memory_order_relaxed);
  counts_uses_.store(evict && context.budget.limit_bytes() != 0, std::memory_order_relaxed);
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
      return ExpiryAtUnixMs(expiry.ms);
  }
  FERRITE_CHECK(false);
  return 0;
}

std::optional<int64_t> StoreState::TtlMs(const Entry& entry) const {
  const int64_t at_ms = entry.expires_at_ms();
  if (at_ms == 0) return std::nullopt;
  return std::max<int64_t>(1, LeftMs(at_ms, *context.clock));
}

}  // namespace ferrite
