#pragma once

// Memory for large values. It gives back to the kernel what it does not use, so that what it has is
// what it holds: a general allocator keeps the holes between live blocks, which in a cache whose
// sizes change came to 45 % of the limit.
//
// Blocks up to kMaxSmallBytes lie in spans with as many blocks of one size as fit; a span goes back
// when its last block is freed. Spans are small and waste little (block_shapes.h). As eviction
// leaves some blocks of every age alive, and one of them keeps its whole span, a block is taken
// from the span that has the fewest free.
//
// A span is of any number of the kernel's pages. Addresses are asked for an area at a time, which
// is cut into spans of one length: so a block's place in its area tells where its span begins.
//
// Larger blocks have pages of their own. Addresses are kept when their memory is given back, as
// they cost nothing.
//
// No lock is held while the kernel is asked for anything, which may take a while.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/mutex.h"
#include "store/memory/block_shapes.h"

namespace ferrite {

// Thread-safe.
class BlockHeap {
 public:
  // The one of this process: a block may outlive the store that made it. Never destroyed.
  static BlockHeap& Instance();

  // Aligned to 16 bytes, contents undefined. Ends the process when the system has no memory.
  void* Allocate(size_t bytes);
  // `bytes` is what was asked for.
  void Free(void* block, size_t bytes);

  // What Allocate(bytes) would take from the system now: nothing if a span has room.
  size_t NewBytes(size_t bytes) const;

  // What a block of this size takes when its span is full.
  static size_t MemoryBytes(size_t bytes);
  // What spans hold beyond that: free blocks.
  size_t unused_bytes() const { return unused_bytes_.load(std::memory_order_relaxed); }

 private:
  using Shape = block_shapes::Shape;
  static constexpr auto& kShapes = block_shapes::kShapes;
  static constexpr size_t kSystemPageBytes = block_shapes::kSystemPageBytes;
  static constexpr size_t kSpanHeaderBytes = block_shapes::kSpanHeaderBytes;
  static constexpr size_t kMaxBlocksPerSpan = block_shapes::kSmallest.blocks;
  static constexpr size_t kMaxSmallBytes = kShapes.back().block_bytes();
  // Up to here addresses are as long as what lies there, in pages, spans included; beyond, there
  // are too many lengths.
  static constexpr size_t kMaxExactBytes = size_t{64} << 10;
  // Memory without a block that is kept for the next one, for each of these lengths: to give it
  // back and get it again takes longer than to write the block.
  static constexpr size_t kWarmBytes = size_t{64} << 10;
  // Addresses are asked for so many at a time, where they are small. Areas of spans are aligned to
  // it.
  static constexpr size_t kAreaBytes = size_t{2} << 20;
  static constexpr size_t kAddressBits = 48;

  struct Span;
  struct SizeClass {
    Mutex mutex;
    // Spans with a free block, by how many are in use; a bit for each list that is not empty.
    std::array<Span*, kMaxBlocksPerSpan> partial ABSL_GUARDED_BY(mutex) = {};
    uint64_t partial_bits ABSL_GUARDED_BY(mutex) = 0;
    std::atomic<size_t> free_count{0};  // free blocks of all spans
  };
  // Addresses of one length that are not in use. Most have no memory.
  struct Addresses {
    size_t length = 0;
    Mutex mutex;
    std::vector<void*> free ABSL_GUARDED_BY(mutex);
    std::vector<void*> warm ABSL_GUARDED_BY(mutex);  // these have
  };

  BlockHeap();

  static size_t SizeClassOf(size_t bytes);
  static Span* SpanOf(void* block, size_t size_class);
  static void Link(SizeClass* size_class, Span* span)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(size_class->mutex);
  static void Unlink(SizeClass* size_class, Span* span)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(size_class->mutex);
  static void* TakeBlock(SizeClass* size_class, size_t number, Span* span)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(size_class->mutex);
  Span* NewSpan(size_t number);
  Addresses* AddressesFor(size_t bytes);
  static void* TakeAddresses(Addresses* addresses);
  static void ReturnAddresses(Addresses* addresses, void* memory, size_t touched_bytes);

  std::array<SizeClass, kShapes.size()> size_classes_;
  std::array<Addresses, kMaxExactBytes / kSystemPageBytes + 1> exact_addresses_;  // by pages
  std::array<Addresses, kAddressBits> large_addresses_;  // by log2 of their length
  std::atomic<size_t> unused_bytes_{0};
};

}  // namespace ferrite
