#pragma once

// Memory for large values. It gives back to the kernel what it does not use, so that what it has is
// what it holds: a general allocator keeps the holes between live blocks, which in a cache whose
// sizes change are half of its memory.
//
// Blocks up to kMaxSmallBytes lie in spans with as many blocks of one size as fit; a span goes back
// when its last block is freed. Spans are small, as eviction leaves some blocks of every age alive,
// and one of them keeps its whole span: from 1 KiB on, at most nine blocks share one. For the same
// reason a block is taken from the span that has the fewest free. Larger blocks have pages of their
// own; their addresses are kept by powers of two, for nothing, and only pages that are written take
// memory.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "store/mutex.h"

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
  // How large a span is, a power of two, and how many blocks lie in it.
  struct Shape {
    uint16_t span_bytes;
    uint16_t blocks;
  };
  static constexpr std::array<Shape, 27> kShapes = {{
      {4096, 42}, {4096, 31}, {4096, 23}, {4096, 16}, {4096, 12}, {4096, 10}, {4096, 8},
      {4096, 7},  {4096, 6},  {4096, 5},  {4096, 4},  {8192, 7},  {4096, 3},  {8192, 5},
      {16384, 9}, {4096, 2},  {16384, 7}, {8192, 3},  {16384, 5}, {32768, 9}, {16384, 4},
      {32768, 7}, {16384, 3}, {32768, 5}, {16384, 2}, {32768, 3}, {32768, 2},
  }};
  static constexpr size_t kSpanHeaderBytes = 32;
  static constexpr size_t kMaxBlocksPerSpan = kShapes[0].blocks;
  static constexpr size_t BlockBytes(size_t size_class) {
    const Shape shape = kShapes[size_class];
    return (shape.span_bytes - kSpanHeaderBytes) / shape.blocks / 16 * 16;
  }
  static constexpr size_t ShareOf(size_t size_class) {
    return kShapes[size_class].span_bytes / kShapes[size_class].blocks;
  }
  static constexpr size_t kMaxSmallBytes = 16368;
  static constexpr size_t kMaxSpanBytes = size_t{32} << 10;
  // Memory without a block that is kept for the next one, for each power of two
  // up to kMaxSpanBytes.
  static constexpr size_t kWarmBytes = size_t{128} << 10;
  static constexpr int kAddressBits = 48;

  struct Span;
  struct SizeClass {
    Mutex mutex;
    // Spans with a free block, by how many are in use; a bit for each list that is not empty.
    std::array<Span*, kMaxBlocksPerSpan> partial ABSL_GUARDED_BY(mutex) = {};
    uint64_t partial_bits ABSL_GUARDED_BY(mutex) = 0;
    std::atomic<size_t> free_count{0};  // free blocks of all spans
  };
  // Addresses that were used before. Most have no memory.
  struct Addresses {
    Mutex mutex;
    std::vector<void*> free ABSL_GUARDED_BY(mutex);
    std::vector<void*> warm ABSL_GUARDED_BY(mutex);
  };

  BlockHeap() = default;

  static size_t SizeClassOf(size_t bytes);
  static Span* SpanOf(void* block, size_t size_class);
  static void Link(SizeClass* size_class, Span* span)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(size_class->mutex);
  static void Unlink(SizeClass* size_class, Span* span)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(size_class->mutex);
  Span* NewSpan(size_t number);
  void* TakeAddresses(int bits);
  void ReturnAddresses(void* memory, size_t touched_bytes, int bits);

  std::array<SizeClass, kShapes.size()> size_classes_;
  std::array<Addresses, kAddressBits> addresses_;  // by log2 of their size
  std::atomic<size_t> unused_bytes_{0};
};

}  // namespace ferrite
