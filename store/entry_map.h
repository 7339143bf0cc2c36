#pragma once

// The concurrent hash map of one shard: oneTBB's, with nodes of the size that each entry needs and
// with prefetching.
//
// Nodes. TBB asks its allocator for one node when it inserts, always of the same nominal size. Ours
// hands it the slot that the caller prepared for this very insertion (PreparedSlot), which has room
// behind the node for the key and the value.
//
// Prefetching reaches protected members of TBB's class, whose names may change: it is compiled in
// only for the versions that it was read against, and without it Prefetch* does nothing.

#include <cstdint>

#include "oneapi/tbb/concurrent_hash_map.h"
#include "oneapi/tbb/version.h"
#include "store/entry.h"

#ifndef TBB_INTERFACE_VERSION
#error "oneTBB does not tell its version"
#endif

namespace ferrite {

class Shard;

// The slot that the next insertion of this thread is to use. Whoever prepares one checks afterwards
// whether it was taken.
inline thread_local void* prepared_slot = nullptr;

// Where nodes and buckets come from and go to; defined by Shard.
void* TakePreparedSlot();
void ReturnNode(Shard* shard, void* node);
void* AllocateBuckets(Shard* shard, size_t bytes);
void FreeBuckets(Shard* shard, void* buckets, size_t bytes);

template <typename T>
class EntryMapAllocator {
 public:
  using value_type = T;
  explicit EntryMapAllocator(Shard* shard) : shard_(shard) {}
  template <typename U>
  EntryMapAllocator(const EntryMapAllocator<U>& other)
      : shard_(other.shard()) {}  // NOLINT: rebinding is implicit

  T* allocate(size_t count) {
    if constexpr (kIsBucket) return static_cast<T*>(AllocateBuckets(shard_, count * sizeof(T)));
    static_assert(kIsBucket || sizeof(T) == kNodeBytes || sizeof(T) == sizeof(EntryPair));
    return static_cast<T*>(TakePreparedSlot());
  }
  void deallocate(T* pointer, size_t count) {
    if constexpr (kIsBucket) return FreeBuckets(shard_, pointer, count * sizeof(T));
    ReturnNode(shard_, pointer);
  }

  Shard* shard() const { return shard_; }
  friend bool operator==(const EntryMapAllocator& a, const EntryMapAllocator& b) {
    return a.shard_ == b.shard_;
  }

 private:
  static constexpr bool kIsBucket = requires(T t) { t.node_list; };
  Shard* shard_;
};

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

class EntryMap : public tbb::concurrent_hash_map<StoredKey, Entry, EntryHashCompare,
                                                 EntryMapAllocator<EntryPair>> {
 public:
  explicit EntryMap(Shard* shard) : concurrent_hash_map(EntryMapAllocator<EntryPair>(shard)) {}

#if TBB_INTERFACE_VERSION >= 12050 && TBB_INTERFACE_VERSION <= 12130 && !defined(FERRITE_PLAIN_TBB)
  // A group read asks for memory before it reads: one step for all its keys, then the next. A stale
  // or foreign pointer does no harm: pages stay mapped, and a prefetch faults on nothing.
  //
  // Step one: the bucket that the hash belongs to.
  void PrefetchBucket(uint32_t hash) const { __builtin_prefetch(BucketOf(hash)); }
  // Step two: the first node of its chain.
  void PrefetchNode(uint32_t hash) const { Prefetch(FirstNode(hash)); }
  // Step three: the second node, if the first is another key's, as every third is at this load.
  // Reads without a lock what may be written meanwhile, and believes nothing of it.
  __attribute__((no_sanitize("thread"))) void PrefetchNextNode(uint32_t hash) const {
    const char* first = FirstNode(hash);
    if (!is_valid(const_cast<char*>(first))) return;
    if (reinterpret_cast<const StoredKey*>(first + kNodeBaseBytes)->hash() == hash) return;
    Prefetch(reinterpret_cast<const char*>(reinterpret_cast<const node_base*>(first)->next));
  }

 private:
  const bucket* BucketOf(uint32_t hash) const {
    return this->get_bucket(hash & this->my_mask.load(std::memory_order_acquire));
  }
  const char* FirstNode(uint32_t hash) const {
    return reinterpret_cast<const char*>(BucketOf(hash)->node_list.load(std::memory_order_relaxed));
  }
  static void Prefetch(const char* node) {
    __builtin_prefetch(node);
    __builtin_prefetch(node + 64);  // where a small value is
  }
  static_assert(sizeof(node) == kNodeBytes);
#else
  void PrefetchBucket(uint32_t) const {}
  void PrefetchNode(uint32_t) const {}
  void PrefetchNextNode(uint32_t) const {}
#endif
};

}  // namespace ferrite
