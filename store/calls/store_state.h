#pragma once

// What is behind the public face of the store: the shards, and what is decided across them.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "store/entries/key_hash.h"
#include "store/shard/shard.h"
#include "store/store.h"

namespace ferrite {

// Thread-safe.
class StoreState {
 public:
  explicit StoreState(const StoreOptions& options);

  // A key's hash and where it belongs. The high half of the 64-bit hash chooses the shard; the map
  // gets the low one.
  struct Place {
    Shard* shard;
    LookupKey key;
  };
  Place Locate(std::string_view key) const {
    // Whether it is of two words the hash asks anyway, so that most keys are checked for nothing.
    FERRITE_CHECK(IsOfTwoWords(key.size()) || key.size() - 1 < kMaxKeyBytes);
    const uint64_t hash = hash_(key);
    return {shards[hash >> 32 & shard_mask_].get(), {key, static_cast<uint32_t>(hash), 0}};
  }

  // Takes a slot of the class from `shard`, evicting where there is no room; null if that fails.
  void* TakeSlot(Shard* shard, uint8_t size_class);
  // Makes room for the block of a value of this size; false if that fails. `shard` is asked first.
  bool MakeRoomForBlock(Shard* shard, size_t value_size);
  // Evicts some of what is above the limit, if anything is. Growing hash tables and values that
  // outgrow their slots may put us there, as neither can evict itself under a lock, and writes that
  // have done their share.
  void TakeBackExcess(Shard* shard);

  // Reads an entry into `*result`, whose other fields are cleared; a miss if it is absent. Counts
  // as a use.
  void Read(const Place& place, const GetOptions& options, ReadResult* result) const;
  // The same without options where the entry was foreseen to lie. False, and `*result` means
  // nothing, if that did not come true.
  bool ReadAt(const Place& place, const UnlockedRead::Candidate& candidate,
              ReadResult* result) const;
  // The same in two steps. Nearly all reads end after the first, which calls nothing: the fewer
  // instructions it takes, the more of the next read's cache misses begin before this one's are
  // over. If `read->expires()` then, SetTtl tells whether the entry is still there.
  bool Glance(const Place& place, const UnlockedRead::Candidate& candidate, UnlockedRead* read,
              ReadResult* result) const;
  bool SetTtl(int64_t expires_at_ms, ReadResult* result) const;
  // Completes a read of `key` that found an entry which expires.
  ABSL_ATTRIBUTE_NOINLINE void FinishExpiring(std::string_view key, int64_t expires_at_ms,
                                              ReadResult* result) const;
  // The same in any case. Locates the key once more, so that who tried Glance before need not keep
  // where it is.
  ABSL_ATTRIBUTE_NOINLINE void ReadAnyhow(std::string_view key, ReadResult* result) const;
  // The same, after `options.touch_ttl_ms` was set.
  void ReadAndTouch(const Place& place, const GetOptions& options, ReadResult* result);
  // The same, in any case with a lock.
  void ReadWithLock(const Place& place, const GetOptions& options, ReadResult* result) const;
  // The same for an entry that the caller has locked and knows to be there, into a clear `*result`.
  // No use is counted.
  void ReadLocked(const Entry& entry, const GetOptions& options, ReadResult* result) const;

  // Where the entry of a key is likely to lie; asks for its memory.
  UnlockedRead::Candidate Foresee(const Place& place) const;
  // Sets the entry that was foreseen, if it is there and nobody else uses its lock, keeps its value
  // inline, does not expire, and `value` fits. Returns the version; 0, and nothing is changed, if
  // it takes more. Most writes are of this kind, and nobody wants to know what was there.
  uint64_t OverwriteAt(const Place& place, const UnlockedRead::Candidate& candidate,
                       std::string_view value) const;
  // In all cases.
  SetResult SetAnyhow(const Place& place, std::string_view value, const SetOptions& options);
  DeleteResult Delete(const Place& place, std::optional<uint64_t> if_version);
  // The short way of Incr, as OverwriteAt is that of Set: for a counter that is there, lies inline
  // and does not expire. False, and nothing is changed, in all other cases, failures included.
  bool IncrInPlace(const Place& place, const IncrOptions& options, IncrResult* result);
  // In all cases.
  IncrResult IncrAnyhow(const Place& place, const IncrOptions& options);

  // The monotonic time at which an entry is to expire; 0: never. `kept_ms` is for Expiry::Keep().
  int64_t ExpiresAtMs(const Expiry& expiry, int64_t kept_ms) const {
    return expiry.kind == Expiry::Kind::kNever ? 0 : ExpiresSomeTimeMs(expiry, kept_ms);
  }
  // What is left of it.
  std::optional<int64_t> TtlMs(const Entry& entry) const;
  bool Expired(const Entry& entry) const {
    return entry.Expired([this] { return context.clock->MonotonicMs(); });
  }

  ShardContext context;
  // Whether reads count: only who evicts wants to know.
  const bool counts_uses;
  std::vector<std::unique_ptr<Shard>> shards;

  // Where the sweep stands; used by one thread at a time.
  size_t sweep_shard = 0;
  uint32_t sweep_page = 0;

 private:
  int64_t ExpiresSomeTimeMs(const Expiry& expiry, int64_t kept_ms) const;
  template <typename Done>
  bool EvictUntil(Shard* shard, size_t enough_bytes, size_t enough_evictions, Done done);

  const KeyHash hash_;
  size_t shard_mask_ = 0;
};

ABSL_ATTRIBUTE_ALWAYS_INLINE inline UnlockedRead::Candidate StoreState::Foresee(
    const Place& place) const {
  const auto candidate = UnlockedRead(place.shard->places(context)).Foresee(place.key);
  candidate.Prefetch();
  return candidate;
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t StoreState::OverwriteAt(
    const Place& place, const UnlockedRead::Candidate& candidate, std::string_view value) const {
  SpinMutex& mutex = place.shard->LockOf(place.key.hash);
  if (candidate.slot == nullptr || !mutex.TryLock()) return 0;
  uint64_t version = 0;
  Entry* const entry = UnlockedRead(place.shard->places(context)).EntryAt(candidate, place.key);
  if (entry != nullptr && entry->Overwrite(value)) [[likely]] {
    if (counts_uses) entry->key().CountUse();
    version = entry->version();
    EventListener* const listener = context.listener.load(std::memory_order_acquire);
    if (listener != nullptr) [[unlikely]] {
      Shard::TellAndUnlock(listener, EventKind::kSet, *entry, &mutex);
      return version;
    }
  }
  mutex.Unlock();
  return version;
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool StoreState::Glance(
    const Place& place, const UnlockedRead::Candidate& candidate, UnlockedRead* read,
    ReadResult* result) const {
  if (!read->RunAt(candidate, place.key, counts_uses, &result->value)) return false;
  result->found = true;
  result->not_modified = false;
  result->version = read->version();
  result->ttl_ms.reset();
  return true;
}

inline bool StoreState::SetTtl(int64_t expires_at_ms, ReadResult* result) const {
  const int64_t left_ms = expires_at_ms - context.clock->MonotonicMs();
  result->ttl_ms = left_ms;
  return left_ms > 0;  // otherwise it may have been touched since we looked
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool StoreState::ReadAt(
    const Place& place, const UnlockedRead::Candidate& candidate, ReadResult* result) const {
  UnlockedRead read(place.shard->places(context));
  return Glance(place, candidate, &read, result) &&
         (!read.expires() || SetTtl(read.expires_at_ms(), result));
}

}  // namespace ferrite
