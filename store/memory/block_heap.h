#pragma once

// Memory for large values. It gives back to the kernel what it does not use, so that what it has is
// what it holds: a general allocator keeps the holes between live blocks, which in a cache whose
// sizes change are half of its memory.
//
// Blocks up to kMaxSmallBytes lie in spans with as many blocks of one size as fit; a span goes back
// when its last block is freed. Spans are small, as eviction leaves some blocks of every age alive,
// and one of them keeps its whole span: from 1 KiB on, at most twelve blocks share one of at most
// 52 KiB. For the same reason a block is taken from the span that has the fewest free. Within these
// bounds the sizes are those that waste least: values of a power of two, with the header that they
// have here, a twelfth, and others 7 % in the mean.
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
  static constexpr size_t kSystemPageBytes = 4096;

  // How many of the kernel's pages a span has, and how many blocks lie in it.
  struct Shape {
    uint8_t span_pages;
    uint8_t blocks;
  };
  static constexpr std::array<Shape, 35> kShapes = {{
      {1, 42}, {1, 31}, {1, 23}, {1, 16}, {1, 12}, {1, 10},  {1, 8},  {1, 7},  {1, 6},
      {1, 5},  {1, 4},  {3, 11}, {3, 10}, {2, 6},  {3, 8},   {3, 7},  {1, 2},  {6, 11},
      {5, 8},  {7, 10}, {4, 5},  {9, 10}, {2, 2},  {13, 12}, {11, 9}, {7, 5},  {8, 5},
      {13, 7}, {13, 6}, {12, 5}, {8, 3},  {6, 2},  {7, 2},   {8, 2},  {13, 3},
  }};
  static constexpr size_t kSpanHeaderBytes = 32;
  static constexpr size_t kMaxBlocksPerSpan = kShapes[0].blocks;
  static constexpr size_t SpanBytes(size_t size_class) {
    return kShapes[size_class].span_pages * kSystemPageBytes;
  }
  static constexpr size_t BlockBytes(size_t size_class) {
    return (SpanBytes(size_class) - kSpanHeaderBytes) / kShapes[size_class].blocks / 16 * 16;
  }
  static constexpr size_t ShareOf(size_t size_class) {
    return SpanBytes(size_class) / kShapes[size_class].blocks;
  }
  static constexpr size_t kMaxSmallBytes = 17728;
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
