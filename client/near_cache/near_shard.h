#pragma once

// A part of a near cache: the entries of some keys, and the fills under way for those keys.
//
// Fills. The newest fill of a key is its current one; older ones may still run, but their answers
// are not kept. Events of the key raise the floor of the current fill, so that an answer that the
// server gave before a write or a deletion is refused even though it arrives after the event. An
// event that arrived before the fill began had happened before the request was sent, so the answer
// reflects it. Invalidate and Flush make the shard forget a fill, which refuses its answer, too.
//
// Order. An answer raises the floor as an event does. So an entry that is kept, and the answer of a
// fill that a read joins, are never older than an answer that was returned before: reads of a key
// do not go back.
//
// Eviction. Entries queue in the order in which they came. When its turn comes, an entry that was
// used since goes to the end of the queue; any other is evicted. So a hit moves nothing.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/spin_mutex.h"
#include "client/callback.h"
#include "client/near_cache/fill.h"
#include "client/near_cache/hashed_key.h"
#include "client/near_cache/near_cache_stats.h"
#include "client/near_cache/near_entry.h"

namespace ferrite {

// Thread-safe. Times are in nanoseconds of one steady clock.
class alignas(64) NearShard {
 public:
  NearShard() = default;
  // No fill may be under way.
  ~NearShard() { Flush(false); }
  NearShard(const NearShard&) = delete;
  NearShard& operator=(const NearShard&) = delete;

  // Sets how many bytes entries may take; before this call none. Call it once.
  void LimitTo(size_t max_bytes) ABSL_LOCKS_EXCLUDED(mutex_);

  // The entry, or a miss if there is none or its time to live is over.
  NearEntry Find(const HashedKey& key, int64_t now_ns) ABSL_LOCKS_EXCLUDED(mutex_);

  // If the current fill was sent at `oldest_ns` or later and nothing newer is known, lets `done`
  // wait for it and returns null. Otherwise returns a new current fill: the caller sends the
  // request and calls End.
  std::shared_ptr<Fill> JoinOrBegin(const HashedKey& key, int64_t now_ns, int64_t oldest_ns,
                                    Callback<NearEntry> done) ABSL_LOCKS_EXCLUDED(mutex_);

  // Takes the answer to a fill: an entry or a miss; absent: the call failed. Keeps the entry if
  // that is allowed. Returns the callbacks that waited.
  std::vector<Callback<NearEntry>> End(const HashedKey& key, Fill& fill,
                                       const std::optional<NearEntry>& answer)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Drops an entry that is older than `floor`, and refuses such answers.
  void RaiseFloor(const HashedKey& key, uint64_t floor) ABSL_LOCKS_EXCLUDED(mutex_);
  // Drops the entry and forgets the current fill.
  void Invalidate(const HashedKey& key) ABSL_LOCKS_EXCLUDED(mutex_);
  // Drops everything and forgets all fills. From now on entries are kept, or not.
  void Flush(bool keep) ABSL_LOCKS_EXCLUDED(mutex_);

  void AddTo(NearCacheStats* stats) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Entries = absl::flat_hash_set<HeldEntry*, HashOfKey, SameKey>;

  void RaiseFloorLocked(const HashedKey& key, uint64_t floor) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void InvalidateLocked(const HashedKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Keep(const HashedKey& key, HeldEntry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Drop(Entries::iterator place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EvictExcess() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  SpinMutex mutex_;
  size_t max_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  Entries entries_ ABSL_GUARDED_BY(mutex_);
  Link queue_ ABSL_GUARDED_BY(mutex_);  // the same entries, in the order in which they are evicted
  absl::flat_hash_set<std::shared_ptr<Fill>, HashOfKey, SameKey> fills_ ABSL_GUARDED_BY(mutex_);
  bool keep_ ABSL_GUARDED_BY(mutex_) = false;
  NearCacheStats stats_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
