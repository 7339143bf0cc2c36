#pragma once

// Memory for large values. It gives back to the kernel what it does not use, so that what it has is
// what it holds: a general allocator keeps the holes between live blocks, which in a cache whose
// sizes change are half of its memory.
//
// Blocks up to kMaxSmallBytes lie in spans of 64 KiB with as many blocks of one size as fit; a span
// goes back when its last block is freed. As blocks are evicted roughly in the order in which they
// were made, spans empty. Larger blocks have pages of their own; their addresses are kept by powers
// of two, for nothing, and only pages that are written take memory.

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

  static constexpr size_t kSpanBytes = size_t{64} << 10;

 private:
  // How many blocks lie in a span, by size class.
  static constexpr std::array<uint16_t, 20> kBlocksPerSpan = {
      682, 511, 409, 255, 170, 127, 85, 63, 50, 39, 31, 25, 20, 15, 12, 10, 8, 6, 5, 4};
  static constexpr size_t kSpanHeaderBytes = 64;
  static constexpr size_t BlockBytes(size_t size_class) {
    return (kSpanBytes - kSpanHeaderBytes) / kBlocksPerSpan[size_class] / 16 * 16;
  }
  static constexpr size_t kMaxSmallBytes = (kSpanBytes - kSpanHeaderBytes) / 4;
  static constexpr int kAddressBits = 48;

  struct Span;
  struct SizeClass {
    Mutex mutex;
    Span* partial ABSL_GUARDED_BY(mutex) = nullptr;  // spans with a free block
    std::atomic<size_t> free_count{0};               // such blocks
  };
  // Addresses that were used before, and have no memory.
  struct Addresses {
    Mutex mutex;
    std::vector<void*> free ABSL_GUARDED_BY(mutex);
  };

  BlockHeap() = default;

  static size_t SizeClassOf(size_t bytes);
  static void Unlink(SizeClass* size_class, Span* span);
  Span* NewSpan(size_t size_class);
  void* TakeAddresses(int bits);
  void ReturnAddresses(void* memory, size_t touched_bytes, int bits);

  std::array<SizeClass, kBlocksPerSpan.size()> size_classes_;
  std::array<Addresses, kAddressBits> addresses_;  // by log2 of their size
  std::atomic<size_t> unused_bytes_{0};
};

}  // namespace ferrite
