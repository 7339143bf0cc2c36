#pragma once

// What is behind the public face of the store: the shards, and what all calls on them need.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/base/attributes.h"
#include "base/check.h"
#include "base/mutex.h"
#include "store/entries/key_hash.h"
#include "store/operation.h"
#include "store/shard/shard.h"
#include "store/store_options.h"

namespace ferrite {

// A key, its hash, and the shard that it belongs to. Refers to the key's bytes.
struct LocatedKey {
  Shard* shard;
  LookupKey key;

  SpinMutex& lock() const { return shard->LockOf(key.hash); }
};

// Thread-safe.
class StoreState {
 public:
  explicit StoreState(const StoreOptions& options);

  // The high half of the 64-bit hash chooses the shard; the map gets the low one.
  LocatedKey Locate(std::string_view key) const {
    // The hash, too, asks whether the key is of two words, so most keys are checked at no cost.
    FERRITE_CHECK(IsOfTwoWords(key.size()) || key.size() - 1 < kMaxKeyBytes);
    const uint64_t hash = hash_(key);
    return {shards[hash >> 32 & shard_mask_].get(), {key, static_cast<uint32_t>(hash), 0}};
  }

  // Where the key's entry is likely to lie. Asks for its memory.
  UnlockedRead::Candidate Foresee(const LocatedKey& key) const;

  // Where a task that evicts from all shards is to begin: each at another.
  Shard* NextShardToEvict() {
    return shards[next_to_evict_.fetch_add(1, std::memory_order_relaxed) & shard_mask_].get();
  }

  // When an entry is to expire, as in expiry_time.h; 0: never. `kept_ms` is for Expiry::Keep().
  int64_t ExpiresAtMs(const Expiry& expiry, int64_t kept_ms) const {
    return expiry.kind == Expiry::Kind::kNever ? 0 : ExpiresSomeTimeMs(expiry, kept_ms);
  }
  // What is left until then.
  std::optional<int64_t> TtlMs(const Entry& entry) const;

  // Whether reads count as uses: only eviction needs to know.
  bool counts_uses() const { return counts_uses_.load(std::memory_order_relaxed); }

  // 0: none.
  void SetLimit(size_t bytes);
  void SetEviction(bool evict);

  ShardContext context;
  std::vector<std::unique_ptr<Shard>> shards;

  // Where the sweep stands; used by one thread at a time.
  size_t sweep_shard = 0;
  uint32_t sweep_page = 0;

 private:
  int64_t ExpiresSomeTimeMs(const Expiry& expiry, int64_t kept_ms) const;

  Mutex limit_mutex_;  // one change at a time
  std::atomic<bool> counts_uses_;
  const KeyHash hash_;
  size_t shard_mask_ = 0;
  std::atomic<size_t> next_to_evict_{0};
};

ABSL_ATTRIBUTE_ALWAYS_INLINE inline UnlockedRead::Candidate StoreState::Foresee(
    const LocatedKey& key) const {
  const auto candidate = UnlockedRead(key.shard->places(context)).Foresee(key.key);
  candidate.Prefetch();
  return candidate;
}

}  // namespace ferrite
