#pragma once

// Where the hash map of a shard gets its memory from. TBB asks for one node when it inserts, always
// of the same nominal size; it is handed the slot that the caller prepared for this very insertion,
// which has room behind the node for the key and the value.

#include <cstddef>
#include <utility>

#include "store/entry.h"

namespace ferrite {

class Shard;

// The slot that the next insertion of this thread is to use. Whoever prepares one checks afterwards
// whether it was taken.
inline thread_local void* prepared_slot = nullptr;

// Where nodes and buckets come from and go to; defined by Shard.
void* TakePreparedSlot();
void ReturnNode(Shard* shard, void* node);
void* AllocateBuckets(Shard* shard, size_t bytes);
// All of this memory for buckets is in use now.
void BucketsFilled(Shard* shard, void* buckets, size_t bytes);
void FreeBuckets(Shard* shard, void* buckets, size_t bytes);

template <typename T>
class NodeAllocator {
 public:
  using value_type = T;
  explicit NodeAllocator(Shard* shard) : shard_(shard) {}
  template <typename U>
  NodeAllocator(const NodeAllocator<U>& other)
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
  friend bool operator==(const NodeAllocator& a, const NodeAllocator& b) {
    return a.shard_ == b.shard_;
  }

 private:
  static constexpr bool kIsBucket = requires(T t) { t.node_list; };
  Shard* shard_;
};

}  // namespace ferrite
