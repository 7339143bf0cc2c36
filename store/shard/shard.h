#pragma once

// One shard of the store: a hash map, the slots that its entries lie in, and the queue that says
// which entry goes first.
//
// Locks, in this order:
//   1. The key's: one of some spin locks that the shard's keys share by hash. A thread
//      that writes an entry, takes it out, or reads it otherwise than UnlockedRead does holds it.
//      It guards all of the entry but its place in the queue. No thread holds two.
//   2. `mutex_`: slots, queue, the growth of tables. No thread waits for a key's lock while holding
//   it.
// TBB has none of its own (entry_map.h), or they lie within both of these and are held by none of
// us.
//
// So what starts from the slots (eviction, expiry, Scan, Flush) copies keys under the mutex, lets
// go, and decides under the key's lock whether the entry is still the one that was meant: the key
// may have been written again.
//
// The life of an entry:
//   1. Insert takes a free slot, puts the node into it, makes it live for eviction and Scan, and
//      hints at it. Where no slot is free, TakeSlot gets one first, for which the caller evicts.
//   2. The writer gives it a value and a version: now readers without a lock believe it.
//   3. Erase ends that, takes it out of the map and of the queue, and frees the slot.
// Insert and Erase take the mutex once each: taking it, and touching what it guards, is most of
// what they cost.

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "base/mutex.h"
#include "base/spin_mutex.h"
#include "store/entries/entry_map.h"
#include "store/entries/unlocked_read.h"
#include "store/event.h"
#include "store/eviction/eviction_queue.h"
#include "store/memory/slot_allocator.h"
#include "store/shard/key_batch.h"
#include "store/shard/shard_context.h"
#include "store/shard/telling.h"

namespace ferrite {

class Shard;

// What an eviction did.
struct Evicted {
  size_t entries = 0;
  size_t freed_bytes = 0;    // that anyone can use now: blocks, and the page that was to be emptied
  bool had_victims = false;  // even if others changed all of them before they could go
  bool page_is_half_empty = false;  // the next EvictPage goes on with it
};

// Where a walk over a shard's slots stands.
struct WalkPosition {
  uint32_t page = 0;
  uint32_t slot = 0;
  uint32_t page_count = 0;  // of the shard, when it was last looked at
};

// What is left to do after a write: to call the listener that was told of it, and to give back what
// is left of an entry that is gone, which is the block of a large value, and its page if it was the
// last one there. The destructor does all that, and as it may take a while: declare this before the
// key's lock, so that the lock is gone by then.
struct Remains {
  Remains() = default;
  ~Remains() {
    AfterKeyLock();
    if (empty_page != nullptr) GiveBackPage();
  }
  Remains(const Remains&) = delete;
  Remains& operator=(const Remains&) = delete;

  BlockRef block;
  Shard* shard = nullptr;
  void* empty_page = nullptr;  // of the shard

 private:
  void GiveBackPage();
};

// Thread-safe.
class Shard {
 public:
  // `number` is its own among context->shard_count.
  Shard(ShardContext* context, size_t number)
      : context_(*context),
        number_(number),
        queue_(&slots_),
        nodes_(&context->budget, &context->tables, &context->huge),
        map_(&nodes_) {}
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Where entries are found without a lock. A caller that knows the context gives it, so that the
  // hints need not be reached through the shard.
  UnlockedPlaces places(const ShardContext& context) const ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return {context.hints, slots_.pages(), pages_given_back_};
  }
  UnlockedPlaces places() const { return places(context_); }

  // For prefetching.
  const EntryMap& map() const { return map_; }
  // Asks for the neighbours in the queue of what may be an entry in this slot.
  void PrefetchNeighbours(const char* slot) const;

  size_t number() const { return number_; }
  size_t size() const { return map_.size(); }

  // The lock of all keys with this hash.
  SpinMutex& LockOf(uint32_t hash) { return key_locks_[hash % kKeyLocks].mutex; }

  // The entry of the key, expired or not; null if there is none. The caller has locked the key.
  Entry* Find(const LookupKey& key) {
    Entry* const guess = UnlockedRead::Guess(places(), key);
    return guess != nullptr ? guess : FindInMap(key);
  }

  // Takes a slot for an entry, within the limit unless told otherwise: a free one, one from a new
  // page, or, in a shard that has but few pages per class, one that is somewhat too large. Null
  // if there is none. The slot's page tells its class.
  void* TakeSlot(uint8_t size_class, bool beyond_limit) ABSL_LOCKS_EXCLUDED(mutex_);
  // Gives back a slot that was not used.
  void ReturnSlot(void* slot, Remains* remains) ABSL_LOCKS_EXCLUDED(mutex_);

  // Makes an entry for a key that has none, in `slot` or, if that is null, in a free one of the
  // class; null if no page has one. The caller has locked the key, and gives the entry a value and
  // a version.
  Entry* Insert(const LookupKey& key, uint8_t size_class, void* slot) ABSL_LOCKS_EXCLUDED(mutex_);

  // Takes the entry out, for the reason that the listener is told; without one, it is told nothing.
  // The entry's version becomes the floor for whatever is written here next. The caller has locked
  // its key.
  void Erase(Entry* entry, std::optional<EventKind> reason, Remains* remains)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Tells the listener, if there is one. The caller holds the key's lock, and calls AfterKeyLock()
  // without it.
  void Tell(EventKind kind, const Entry& entry) const {
    EventListener* const listener = context_.listener.load(std::memory_order_acquire);
    if (listener != nullptr) [[unlikely]]
      TellListener(listener, kind, entry);
  }

  // Waits until nobody holds a key's lock who held it before: what they did is done, and has been
  // told to whom they knew as the listener.
  void WaitForWriters();

  // Tells a listener that is there, unlocks the key, and calls the listener again.
  static void TellAndUnlock(EventListener* listener, EventKind kind, const Entry& entry,
                            SpinMutex* mutex) ABSL_UNLOCK_FUNCTION(mutex);

  // The next version for an entry that has `last` (0: none).
  uint64_t NextVersion(uint64_t last) const;
  // From now on keys that are absent get higher versions than this one.
  void RaiseVersionFloor(uint64_t version) ABSL_LOCKS_EXCLUDED(mutex_);

  // Sets when an entry expires (0: never) and lets the sweep know. The caller has locked its key.
  void SetExpiry(Entry* entry, int64_t at_ms) const;
  // Whether the entry has expired, for a caller that says so to a user: an entry that is gone by
  // the wall clock stays gone, also if that is set back then. The caller has locked its key.
  bool HasExpired(Entry* entry) const {
    return entry->expires_at_ms() != 0 && ExpireForGood(entry);
  }

  // Evicts one entry, if there is one.
  Evicted EvictOne() ABSL_LOCKS_EXCLUDED(mutex_);
  // Evicts up to so many entries of one page, which is free when all of them are gone: calls go on
  // with the page that the one before left, also if another thread made it, and take no more slots
  // from it until it is free or all of it was tried. No page whose entries have large values, which
  // would be too much at once.
  Evicted EvictPage(size_t max_entries) ABSL_LOCKS_EXCLUDED(mutex_);

  // Removes expired entries from the first page at or after `*page` that has any due; bounded.
  // Moves `*page` on; false at the end of the shard.
  bool Sweep(uint32_t* page) ABSL_LOCKS_EXCLUDED(mutex_);

  // Copies up to `limit` keys with the prefix, from the position on; bounded. Moves the position
  // on; false at the end.
  bool Scan(std::string_view prefix, size_t limit, uint32_t* page, uint32_t* slot, KeyBatch* keys)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Deletes the entries of a bounded stretch from the position on, as they are by then, and adds to
  // `*deleted` how many had not expired. Moves the position on; false at the end. For each entry it
  // holds a key's lock for as long as one deletion takes, and the mutex for each batch once more.
  bool Flush(WalkPosition* position, uint64_t* deleted) ABSL_LOCKS_EXCLUDED(mutex_);
  // Likewise, but only entries whose keys are chosen, and the listener is told nothing. `chosen` is
  // called with the mutex held.
  bool Drop(WalkPosition* position, absl::FunctionRef<bool(std::string_view key)> chosen,
            uint64_t* dropped) ABSL_LOCKS_EXCLUDED(mutex_);

  // Entries that have expired and are still in the map.
  size_t CountExpired() ABSL_LOCKS_EXCLUDED(mutex_);

  uint64_t evictions() const { return evictions_.load(std::memory_order_relaxed); }
  uint64_t expired_by_sweep() const { return expired_by_sweep_.load(std::memory_order_relaxed); }
  uint64_t expired_on_access() const { return expired_on_access_.load(std::memory_order_relaxed); }
  void CountExpiredOnAccess() { expired_on_access_.fetch_add(1, std::memory_order_relaxed); }

 private:
  friend struct Remains;

  // Copies the chosen keys of a bounded stretch from the position on. Moves the position on; false
  // at the end.
  bool Collect(WalkPosition* position, absl::FunctionRef<bool(std::string_view key)> chosen,
               KeyBatch* keys) ABSL_LOCKS_EXCLUDED(mutex_);

  // Calls act(i) for each key of the batch in order, having asked early for the memory that it
  // takes to erase its entry.
  template <typename Act>
  void EraseInTurn(const KeyBatch& keys, Act act) const;
  // Evicts the entry of this key if it lies in this page and was not written since it had this
  // version.
  std::optional<size_t> EvictIfUnchanged(const LookupKey& key, const Page* page, uint64_t version)
      ABSL_LOCKS_EXCLUDED(mutex_);
  bool Expired(const Entry& entry) const { return entry.Expired(*context_.clock); }
  bool ExpireForGood(Entry* entry) const;
  static void NoteExpiry(Page* page, int64_t at_ms);
  // A lock has a cache line of its own, so that keys that differ do not meet.
  struct alignas(64) KeyLock {
    SpinMutex mutex;
  };

  Entry* FindInMap(const LookupKey& key);
  static void TellListener(EventListener* listener, EventKind kind, const Entry& entry);
  // Has the pool take back the memory of a page that has become empty.
  void GiveBack(void* empty_page);
  // Hints at where the entry lies. The caller has locked its key, or the mutex.
  void Hint(const Entry& entry);
  // Takes a step towards larger tables if there are too many entries for those there are.
  void GrowTables() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Has the budget know what the queue takes.
  void CountPolicyMemory() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The page that is worth least of a few, and what a page is worth: the recent uses of
  // the entries in it, from a sample, and how full it is. So pages that are nearly empty go first.
  Page* ChoosePage() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The page that is being emptied; null if none is.
  Page* PageToEmpty() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  size_t WorthOf(Page* page) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  ShardContext& context_;
  const size_t number_;
  std::array<KeyLock, kKeyLocks> key_locks_;

  // The lowest version that a new entry may not have: that of any entry that was erased here.
  // Written with the mutex.
  std::atomic<uint64_t> version_floor_{0};
  std::atomic<uint64_t> evictions_{0};
  std::atomic<uint64_t> expired_by_sweep_{0};
  std::atomic<uint64_t> expired_on_access_{0};

  Mutex mutex_;
  EvictionQueue queue_ ABSL_GUARDED_BY(mutex_);
  NodeMemory nodes_ ABSL_GUARDED_BY(mutex_);
  // The hints of entries from here on are still to be moved in a table that has grown.
  size_t hints_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // the size of the table that was last seen
  SlotRef next_to_move_ ABSL_GUARDED_BY(mutex_) = 0;
  bool moving_ ABSL_GUARDED_BY(mutex_) = false;
  uint32_t page_choice_ ABSL_GUARDED_BY(mutex_) = 1;
  // The page that EvictPage is to go on with, unless it was given back meanwhile, and where.
  std::optional<uint32_t> page_to_empty_ ABSL_GUARDED_BY(mutex_);
  uint32_t slot_to_empty_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t policy_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // of the queue, as the budget has them

  // What reads without a lock look at, and the slots' part of it, begin cache lines: as a rule
  // neither an insertion nor an erasure writes to them.
  alignas(64) SlotAllocator slots_ ABSL_GUARDED_BY(mutex_);
  // Counted before the page may become anything else: UnlockedRead watches it.
  alignas(64) std::atomic<uint64_t> pages_given_back_{0};

  alignas(64) EntryMap map_;  // last: its destructor ends entries, which lie in the pages above
};

template <typename Act>
void Shard::EraseInTurn(const KeyBatch& keys, Act act) const {
  const EventBatch batch;
  constexpr size_t kAhead = 8;  // of the next step
  const size_t count = keys.size();
  for (size_t turn = 0; turn < count + 3 * kAhead; ++turn) {
    if (turn < count) {
      context_.hints.Prefetch(keys[turn].hash);
      map_.PrefetchBucket(keys[turn].hash);
      // The page may have been given back meanwhile, and be one of other slots.
      const SlotRef ref = keys.page(turn) << kSlotBits | keys.slot(turn);
      if (const char* slot = places().pages.SlotAt(ref)) PrefetchNeighbours(slot);
    }
    if (const size_t i = turn - kAhead; i < count) map_.PrefetchFirstNode(keys[i].hash);
    if (const size_t i = turn - 2 * kAhead; i < count) map_.PrefetchSecondNode(keys[i].hash);
    if (turn >= 3 * kAhead) act(turn - 3 * kAhead);
  }
}

}  // namespace ferrite
