#pragma once

// Where the hash map of a shard gets its memory from. TBB asks for one node when it inserts, always
// of the same nominal size; it is handed the slot that the shard prepared for this very insertion,
// which has room behind the node for the key and the value.
//
// A node's memory is an entry before TBB gets to know it and after it has let go of it: others walk
// the slots, and the entry still has its place in the queue. So TBB neither ends the entry nor
// gives its slot back: that is for Shard::Erase. It only lets go of the blocks of large values in a
// shard that comes to its end with all its pages.

#include <cstddef>
#include <type_traits>

#include "store/entries/entry.h"

namespace ferrite {

class Shard;

// Where nodes and buckets come from and go to; defined by Shard.
void* TakePreparedSlot(Shard* shard);
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
  NodeAllocator(const NodeAllocator<U>& other)  // NOLINT(google-explicit-constructor): rebinding
      : shard_(other.shard()) {}

  T* allocate(size_t count) {
    if constexpr (kIsBucket) return static_cast<T*>(AllocateBuckets(shard_, count * sizeof(T)));
    static_assert(kIsBucket || sizeof(T) == kNodeBytes || sizeof(T) == sizeof(EntryPair));
    return static_cast<T*>(TakePreparedSlot(shard_));
  }
  void deallocate(T* pointer, size_t count) {
    if constexpr (kIsBucket) FreeBuckets(shard_, pointer, count * sizeof(T));
  }

  template <typename U>
  void destroy(U* object) {  // NOLINT(readability-identifier-naming): TBB asks for this name
    if constexpr (std::is_same_v<U, EntryPair>) object->second.DropBlock();
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
