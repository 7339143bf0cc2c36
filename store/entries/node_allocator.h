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
#include "store/entries/node_memory.h"

namespace ferrite {

template <typename T>
class NodeAllocator {
 public:
  using value_type = T;
  explicit NodeAllocator(NodeMemory* memory) : memory_(memory) {}
  template <typename U>
  NodeAllocator(const NodeAllocator<U>& other)  // NOLINT(google-explicit-constructor): rebinding
      : memory_(other.memory()) {}

  T* allocate(size_t count) {
    if constexpr (kIsBucket) return static_cast<T*>(memory_->AllocateBuckets(count * sizeof(T)));
    static_assert(kIsBucket || sizeof(T) == kNodeBytes || sizeof(T) == sizeof(EntryPair));
    return static_cast<T*>(memory_->TakePreparedSlot());
  }
  void deallocate(T* pointer, size_t count) {
    if constexpr (kIsBucket) memory_->FreeBuckets(pointer, count * sizeof(T));
  }

  template <typename U>
  void destroy(U* object) {  // NOLINT(readability-identifier-naming): TBB asks for this name
    if constexpr (std::is_same_v<U, EntryPair>) object->second.DropBlock();
  }

  NodeMemory* memory() const { return memory_; }
  friend bool operator==(const NodeAllocator& a, const NodeAllocator& b) {
    return a.memory_ == b.memory_;
  }

 private:
  static constexpr bool kIsBucket = requires(T t) { t.node_list; };
  NodeMemory* memory_;
};

}  // namespace ferrite
