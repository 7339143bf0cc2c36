#include "store/block_heap.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>

#include "store/check.h"

namespace ferrite {
namespace {

constexpr size_t kSystemPageBytes = 4096;
// Addresses are asked for so many at a time, where they are small.
constexpr size_t kBatchBytes = size_t{2} << 20;
constexpr int kSpanBits = std::countr_zero(BlockHeap::kSpanBytes);

size_t RoundUpToPages(size_t bytes) {
  return (bytes + kSystemPageBytes - 1) / kSystemPageBytes * kSystemPageBytes;
}

}  // namespace

// At the start of its memory, which is aligned to its size.
struct BlockHeap::Span {
  Span* previous;
  Span* next;
  void* free;           // each free block holds the next
  uint32_t used;        // blocks that are not free
  uint32_t never_used;  // the first block that was never handed out
  uint32_t size_class;
};

BlockHeap& BlockHeap::Instance() {
  static BlockHeap* const heap = new BlockHeap;
  return *heap;
}

size_t BlockHeap::SizeClassOf(size_t bytes) {
  static_assert(BlockBytes(kBlocksPerSpan.size() - 1) == kMaxSmallBytes);
  // A handful of comparisons, next to a copy of at least as many bytes.
  size_t low = 0, high = kBlocksPerSpan.size() - 1;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (BlockBytes(middle) >= bytes) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

size_t BlockHeap::MemoryBytes(size_t bytes) {
  if (bytes > kMaxSmallBytes) return RoundUpToPages(bytes);
  return kSpanBytes / kBlocksPerSpan[SizeClassOf(bytes)];
}

size_t BlockHeap::NewBytes(size_t bytes) const {
  if (bytes > kMaxSmallBytes) return RoundUpToPages(bytes);
  const SizeClass& size_class = size_classes_[SizeClassOf(bytes)];
  return size_class.free_count.load(std::memory_order_relaxed) > 0 ? 0 : kSpanBytes;
}

void* BlockHeap::Allocate(size_t bytes) {
  if (bytes > kMaxSmallBytes) return TakeAddresses(std::bit_width(bytes - 1));
  const size_t number = SizeClassOf(bytes);
  SizeClass& size_class = size_classes_[number];
  MutexLock lock(&size_class.mutex);
  if (size_class.partial == nullptr) size_class.partial = NewSpan(number);
  Span* span = size_class.partial;
  void* block = span->free;
  if (block != nullptr) {
    span->free = *static_cast<void**>(block);
  } else {
    block =
        reinterpret_cast<char*>(span) + kSpanHeaderBytes + span->never_used++ * BlockBytes(number);
  }
  if (++span->used == kBlocksPerSpan[number]) Unlink(&size_class, span);
  unused_bytes_.fetch_sub(kSpanBytes / kBlocksPerSpan[number], std::memory_order_relaxed);
  size_class.free_count.fetch_sub(1, std::memory_order_relaxed);
  return block;
}

void BlockHeap::Free(void* block, size_t bytes) {
  if (bytes > kMaxSmallBytes) return ReturnAddresses(block, bytes, std::bit_width(bytes - 1));
  auto* span = reinterpret_cast<Span*>(reinterpret_cast<uintptr_t>(block) & ~(kSpanBytes - 1));
  const size_t number = span->size_class;
  SizeClass& size_class = size_classes_[number];
  const size_t share = kSpanBytes / kBlocksPerSpan[number];
  {
    MutexLock lock(&size_class.mutex);
    *static_cast<void**>(block) = span->free;
    span->free = block;
    const bool was_full = span->used-- == kBlocksPerSpan[number];
    if (was_full) {
      span->previous = nullptr;
      span->next = size_class.partial;
      if (span->next != nullptr) span->next->previous = span;
      size_class.partial = span;
    }
    size_class.free_count.fetch_add(1, std::memory_order_relaxed);
    if (span->used > 0) {
      unused_bytes_.fetch_add(share, std::memory_order_relaxed);
      return;
    }
    Unlink(&size_class, span);
    size_class.free_count.fetch_sub(kBlocksPerSpan[number], std::memory_order_relaxed);
    unused_bytes_.fetch_sub(share * (kBlocksPerSpan[number] - 1), std::memory_order_relaxed);
  }
  ReturnAddresses(span, kSpanBytes, kSpanBits);
}

void BlockHeap::Unlink(SizeClass* size_class, Span* span) {
  if (span->next != nullptr) span->next->previous = span->previous;
  (span->previous != nullptr ? span->previous->next : size_class->partial) = span->next;
}

BlockHeap::Span* BlockHeap::NewSpan(size_t size_class) {
  Span* span = new (TakeAddresses(kSpanBits)) Span{};
  span->size_class = static_cast<uint32_t>(size_class);
  const size_t count = kBlocksPerSpan[size_class];
  unused_bytes_.fetch_add(kSpanBytes / count * count, std::memory_order_relaxed);
  size_classes_[size_class].free_count.fetch_add(count, std::memory_order_relaxed);
  return span;
}

void* BlockHeap::TakeAddresses(int bits) {
  FERRITE_CHECK(bits < kAddressBits);
  Addresses& addresses = addresses_[static_cast<size_t>(bits)];
  MutexLock lock(&addresses.mutex);
  if (addresses.free.empty()) {
    // Twice as many as needed, so that an aligned stretch lies within; what is not used costs
    // nothing.
    const size_t bytes = size_t{1} << bits;
    const size_t batch = std::max(bytes, kBatchBytes);
    void* mapped = mmap(nullptr, batch + bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    FERRITE_CHECK(mapped != MAP_FAILED);
    const uintptr_t begin = (reinterpret_cast<uintptr_t>(mapped) + bytes - 1) & ~(bytes - 1);
    for (size_t offset = batch; offset > 0; offset -= bytes) {
      addresses.free.push_back(reinterpret_cast<void*>(begin + offset - bytes));
    }
  }
  void* memory = addresses.free.back();
  addresses.free.pop_back();
  return memory;
}

void BlockHeap::ReturnAddresses(void* memory, size_t touched_bytes, int bits) {
  madvise(memory, RoundUpToPages(touched_bytes), MADV_DONTNEED);
  Addresses& addresses = addresses_[static_cast<size_t>(bits)];
  MutexLock lock(&addresses.mutex);
  addresses.free.push_back(memory);
}

}  // namespace ferrite
