#pragma once

// The concurrent hash map of one shard: oneTBB's, with nodes of the size that each entry needs,
// without locks of its own, and growing otherwise.
//
// A caller with a key holds one of kKeyLocks locks, the one that the low bits of the key's hash
// choose. There are never fewer buckets than that, and their number is a power of two, so all
// keys of a bucket, and of the one that it was split from, have the same lock: no two threads meet
// in a bucket, and locks on buckets and nodes would guard nothing.
//
// TBB doubles its buckets as soon as there are as many entries, all at once; here it waits for
// twice as many, as hints (hint_table.h) spare most operations the way through the buckets, and
// makes the new ones in small steps.
//
// Growing reaches protected members of TBB's class, whose names and meaning may change. All uses
// are in this file. It compiles only with the versions that it was read against, and checks what
// the compiler can tell of them; with FERRITE_PLAIN_TBB growing and locking are left to TBB,
// whichever it is.

#include <algorithm>
#include <atomic>
#include <bit>
#include <type_traits>

#define TBB_PREVIEW_CONCURRENT_HASH_MAP_EXTENSIONS 1  // the type of its locks
#include "oneapi/tbb/version.h"

#ifndef TBB_INTERFACE_VERSION
#error "oneTBB does not tell its version"
#endif
#if !defined(FERRITE_PLAIN_TBB) && (TBB_INTERFACE_VERSION < 12050 || TBB_INTERFACE_VERSION > 12130)
#error \
    "A oneTBB whose internals are not known: read its concurrent_hash_map.h and extend the range \
here, or configure with -DFERRITE_PLAIN_TBB=ON"
#endif

#include "oneapi/tbb/concurrent_hash_map.h"
#include "store/entries/entry.h"
#include "store/entries/node_allocator.h"
#include "store/memory/huge_memory.h"

namespace ferrite {

struct EntryHashCompare {
  using is_transparent = void;
  static size_t hash(const LookupKey& key) { return key.hash; }
  static size_t hash(const StoredKey& key) { return key.hash(); }
  static bool equal(const LookupKey& a, const StoredKey& b) {
    return a.hash == b.hash() && a.bytes == b.bytes();
  }
  static bool equal(const StoredKey& a, const StoredKey& b) {
    return a.hash() == b.hash() && a.bytes() == b.bytes();
  }
};

inline constexpr size_t kKeyLocks = 32;
static_assert(std::has_single_bit(kKeyLocks));

#ifndef FERRITE_PLAIN_TBB

// What TBB locks instead of buckets and nodes.
class NoMutex {
 public:
  class scoped_lock {  // NOLINT(readability-identifier-naming): TBB asks for these names
   public:
    scoped_lock() = default;
    explicit scoped_lock(NoMutex&, bool /*write*/ = true) {}
    scoped_lock(const scoped_lock&) = delete;
    scoped_lock& operator=(const scoped_lock&) = delete;
    void acquire(NoMutex&, bool /*write*/ = true) {}
    bool try_acquire(NoMutex&, bool /*write*/ = true) { return true; }
    void release() {}
    bool upgrade_to_writer() { return true; }
    bool downgrade_to_reader() { return true; }
    bool is_writer() const { return true; }
  };
};

using TbbEntryMap =
    tbb::concurrent_hash_map<StoredKey, Entry, EntryHashCompare, NodeAllocator<EntryPair>, NoMutex>;

#else

using TbbEntryMap =
    tbb::concurrent_hash_map<StoredKey, Entry, EntryHashCompare, NodeAllocator<EntryPair>>;

#endif

// What both maps below have in common. The caller holds the lock of the key.
class EntryLookup : protected TbbEntryMap {
 public:
  using TbbEntryMap::size;

  // Null if there is none.
  Entry* Find(const LookupKey& key) {
    accessor found;
    return find(found, key) ? &found->second : nullptr;
  }
  // Adds an entry for a key that has none.
  Entry* Insert(const LookupKey& key) {
    accessor inserted;
    FERRITE_CHECK(insert(inserted, key));
    return &inserted->second;
  }
  void Erase(const StoredKey& key) { FERRITE_CHECK(erase(key)); }

 protected:
  using TbbEntryMap::TbbEntryMap;
};

#ifndef FERRITE_PLAIN_TBB

class EntryMap : public EntryLookup {
 public:
  explicit EntryMap(NodeMemory* memory) : EntryLookup(kKeyLocks, NodeAllocator<EntryPair>(memory)) {
    // As if someone was growing the table already: TBB leaves it to Grow.
    for (size_t segment = first_block; segment < pointers_per_table; ++segment) {
      my_table[segment].store(BeingGrown(), std::memory_order_relaxed);
    }
  }
  ~EntryMap() {
    for (size_t segment = first_block; segment < pointers_per_table; ++segment) {
      if (my_table[segment].load() == BeingGrown()) my_table[segment].store(nullptr);
    }
    if (next_segment_ != nullptr) {
      my_allocator.deallocate(next_segment_, my_mask.load(std::memory_order_relaxed) + 1);
    }
  }

  // Ask for memory on the way to a key, whose lock need not be held: its bucket, and when that has
  // come, the first node in it, and then the second. What is read may have changed since. The first
  // node's memory is some node's or was; to look behind the second could lead anywhere.
  void PrefetchBucket(uint32_t hash) const { __builtin_prefetch(BucketOf(hash)); }
  void PrefetchFirstNode(uint32_t hash) const { __builtin_prefetch(FirstNodeOf(hash)); }
  ABSL_ATTRIBUTE_NO_SANITIZE_THREAD void PrefetchSecondNode(uint32_t hash) const {
    const node_base* first = FirstNodeOf(hash);
    if (is_valid(const_cast<node_base*>(first))) {
      __builtin_prefetch(__atomic_load_n(&first->next, __ATOMIC_RELAXED));
    }
  }

  // Takes a step towards more buckets if it is time. Call it after each insertion, one thread at a
  // time. The new buckets are made a few at a time, so that no insertion waits for all of them; the
  // entries move into them one bucket at a time, when it is next used.
  // `may_start` says whether there is memory for them.
  void Grow(bool may_start) {
    const size_t buckets = my_mask.load(std::memory_order_relaxed) + 1;
    const size_t entries = size();
    if (entries < buckets / 16 * 31) return;
    if (next_segment_ == nullptr) {
      if (!may_start) return;
      next_segment_ = my_allocator.allocate(buckets);
    }
    if (made_ < buckets) {
      for (size_t end = std::min(made_ + kBucketsPerStep, buckets); made_ < end; ++made_) {
        new (&next_segment_[made_])
            bucket(static_cast<node_base*>(tbb::detail::d2::rehash_req_flag));
      }
      if (made_ * sizeof(bucket) % kHugePageBytes == 0) {
        my_allocator.memory()->BucketsFilled(
            next_segment_ + made_ - kHugePageBytes / sizeof(bucket), kHugePageBytes);
      }
    }
    if (made_ < buckets || entries < buckets * 2) return;
    my_table[segment_index_of(buckets)].store(next_segment_, std::memory_order_release);
    my_mask.store(2 * buckets - 1, std::memory_order_release);
    next_segment_ = nullptr;
    made_ = 0;
  }
  // What that will take.
  size_t next_growth_bytes() const {
    return (my_mask.load(std::memory_order_relaxed) + 1) * sizeof(bucket);
  }

 private:
  // With as many a step as are due when a sixteenth of the entries is to come, all are in time.
  static constexpr size_t kBucketsPerStep = 16;
  const bucket* BucketOf(uint32_t hash) const {
    return get_bucket(hash & my_mask.load(std::memory_order_acquire));
  }
  const node_base* FirstNodeOf(uint32_t hash) const {
    return BucketOf(hash)->node_list.load(std::memory_order_relaxed);
  }
  // TBB's own mark (is_allocating), which keeps it from enabling the segment.
  static bucket* BeingGrown() { return reinterpret_cast<bucket*>(2); }

  // What the code above takes for granted of TBB, as far as the compiler can tell.
  static_assert(sizeof(node) == kNodeBytes && sizeof(node_base) == kNodeBaseBytes);
  static_assert(sizeof(bucket) == 2 * sizeof(void*));
  static_assert(std::is_same_v<decltype(bucket::node_list), std::atomic<node_base*>>);
  static_assert(std::is_same_v<decltype(node_base::next), node_base*>);
  static_assert(std::is_same_v<decltype(my_mask), std::atomic<size_t>>);
  static_assert(std::is_same_v<decltype(my_table), std::atomic<bucket*>[pointers_per_table]>);
  // kKeyLocks buckets lie in the segments that TBB makes at once; those after them are ours.
  static_assert(first_block == 8 && pointers_per_table == 64 && kKeyLocks <= 1u << first_block);

  bucket* next_segment_ = nullptr;  // being made
  size_t made_ = 0;                 // how many of its buckets are
};

#else

class EntryMap : public EntryLookup {
 public:
  explicit EntryMap(NodeMemory* memory) : EntryLookup(NodeAllocator<EntryPair>(memory)) {}

  void PrefetchBucket(uint32_t) const {}
  void PrefetchFirstNode(uint32_t) const {}
  void PrefetchSecondNode(uint32_t) const {}

  void Grow(bool) {}
  size_t next_growth_bytes() const { return 0; }
};

#endif

}  // namespace ferrite
