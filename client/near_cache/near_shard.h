#pragma once

// A part of a near cache: the entries of some keys, and the fills of those keys that are under way.
//
// Fills. The newest fill of a key that is under way is its current one; others may still run, but
// what they bring is not kept. Events of the key raise the floor of the current fill: so an answer
// that the server gave before a write or a deletion is refused although it arrives after the event.
// An event that came before the fill was there had happened before the request was sent, so that
// the answer knows of it. Whatever makes the shard forget a fill (Invalidate, Flush) refuses its
// answer likewise.
//
// Order. An answer raises the floor too, as an event would. So what is kept, and whatever joins a
// fill, is never older than an answer that was handed out before: reads of a key do not go back.
//
// Eviction. Entries queue up in the order of their coming; one that was used meanwhile goes to the
// end of the queue when its turn comes, else it is evicted. So a hit moves nothing.

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

// Thread-safe. Times are in nanoseconds of any steady clock, but always the same.
class alignas(64) NearShard {
 public:
  NearShard() = default;
  // No fill may be under way.
  ~NearShard() { Flush(false); }
  NearShard(const NearShard&) = delete;
  NearShard& operator=(const NearShard&) = delete;

  // How many bytes entries may take; until then none. To be called once.
  void LimitTo(size_t max_bytes) ABSL_LOCKS_EXCLUDED(mutex_);

  // The entry, unless there is none or its time to live is over.
  NearEntry Find(const HashedKey& key, int64_t now_ns) ABSL_LOCKS_EXCLUDED(mutex_);

  // Has `done` wait for the current fill, if that was sent at `oldest_ns` or later and nothing
  // newer is known; then it returns null. Otherwise it returns a new one, now the current: the
  // caller sends the request, and calls End.
  std::shared_ptr<Fill> JoinOrBegin(const HashedKey& key, int64_t now_ns, int64_t oldest_ns,
                                    Callback<NearEntry> done) ABSL_LOCKS_EXCLUDED(mutex_);

  // Takes the answer to a fill: an entry or a miss; absent: the call failed. Keeps the entry if it
  // may. Returns who waited.
  std::vector<Callback<NearEntry>> End(const HashedKey& key, Fill& fill,
                                       const std::optional<NearEntry>& answer)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Drops what is known to be older than `floor`, and keeps it from coming.
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
  Link queue_ ABSL_GUARDED_BY(mutex_);  // the same entries; the next to be evicted comes first
  absl::flat_hash_set<std::shared_ptr<Fill>, HashOfKey, SameKey> fills_ ABSL_GUARDED_BY(mutex_);
  bool keep_ ABSL_GUARDED_BY(mutex_) = false;
  NearCacheStats stats_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
