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

size_t RoundUpToPages(size_t bytes) {
  return (bytes + kSystemPageBytes - 1) / kSystemPageBytes * kSystemPageBytes;
}

}  // namespace

// At the start of its memory, which is aligned to its size.
struct BlockHeap::Span {
  Span* previous;
  Span* next;
  void* free;           // each free block holds the next
  uint16_t used;        // blocks that are not free
  uint16_t never_used;  // the first block that was never handed out
};

BlockHeap& BlockHeap::Instance() {
  static BlockHeap* const heap = new BlockHeap;
  return *heap;
}

size_t BlockHeap::SizeClassOf(size_t bytes) {
  static_assert(sizeof(Span) <= kSpanHeaderBytes && kMaxBlocksPerSpan <= 64);
  static_assert(BlockBytes(kShapes.size() - 1) == kMaxSmallBytes);
  static_assert(kShapes.back().span_bytes == kMaxSpanBytes);
  // A handful of comparisons, next to a copy of at least as many bytes.
  size_t low = 0, high = kShapes.size() - 1;
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
  return bytes > kMaxSmallBytes ? RoundUpToPages(bytes) : ShareOf(SizeClassOf(bytes));
}

size_t BlockHeap::NewBytes(size_t bytes) const {
  if (bytes > kMaxSmallBytes) return RoundUpToPages(bytes);
  const size_t number = SizeClassOf(bytes);
  const bool has_room = size_classes_[number].free_count.load(std::memory_order_relaxed) > 0;
  return has_room ? 0 : kShapes[number].span_bytes;
}

void* BlockHeap::Allocate(size_t bytes) {
  if (bytes > kMaxSmallBytes) return TakeAddresses(std::bit_width(bytes - 1));
  const size_t number = SizeClassOf(bytes);
  SizeClass& size_class = size_classes_[number];
  MutexLock lock(&size_class.mutex);
  Span* span;
  if (size_class.partial_bits == 0) {
    span = NewSpan(number);
  } else {
    span = size_class.partial[static_cast<size_t>(std::bit_width(size_class.partial_bits) - 1)];
    Unlink(&size_class, span);
  }
  void* block = span->free;
  if (block != nullptr) {
    span->free = *static_cast<void**>(block);
  } else {
    block =
        reinterpret_cast<char*>(span) + kSpanHeaderBytes + span->never_used++ * BlockBytes(number);
  }
  if (++span->used < kShapes[number].blocks) Link(&size_class, span);
  unused_bytes_.fetch_sub(ShareOf(number), std::memory_order_relaxed);
  size_class.free_count.fetch_sub(1, std::memory_order_relaxed);
  return block;
}

void BlockHeap::Free(void* block, size_t bytes) {
  if (bytes > kMaxSmallBytes) return ReturnAddresses(block, bytes, std::bit_width(bytes - 1));
  const size_t number = SizeClassOf(bytes);
  const Shape shape = kShapes[number];
  Span* const span = SpanOf(block, number);
  SizeClass& size_class = size_classes_[number];
  {
    MutexLock lock(&size_class.mutex);
    *static_cast<void**>(block) = span->free;
    span->free = block;
    if (span->used < shape.blocks) Unlink(&size_class, span);
    size_class.free_count.fetch_add(1, std::memory_order_relaxed);
    if (--span->used > 0) {
      Link(&size_class, span);
      unused_bytes_.fetch_add(ShareOf(number), std::memory_order_relaxed);
      return;
    }
    size_class.free_count.fetch_sub(shape.blocks, std::memory_order_relaxed);
    unused_bytes_.fetch_sub(ShareOf(number) * (shape.blocks - 1u), std::memory_order_relaxed);
  }
  ReturnAddresses(span, shape.span_bytes, std::countr_zero(shape.span_bytes));
}

BlockHeap::Span* BlockHeap::SpanOf(void* block, size_t size_class) {
  const uintptr_t within = kShapes[size_class].span_bytes - 1u;
  return reinterpret_cast<Span*>(reinterpret_cast<uintptr_t>(block) & ~within);
}

void BlockHeap::Link(SizeClass* size_class, Span* span) {
  Span*& head = size_class->partial[span->used];
  span->previous = nullptr;
  span->next = head;
  if (head != nullptr) head->previous = span;
  head = span;
  size_class->partial_bits |= uint64_t{1} << span->used;
}

void BlockHeap::Unlink(SizeClass* size_class, Span* span) {
  Span*& head = size_class->partial[span->used];
  if (span->next != nullptr) span->next->previous = span->previous;
  (span->previous != nullptr ? span->previous->next : head) = span->next;
  if (head == nullptr) size_class->partial_bits &= ~(uint64_t{1} << span->used);
}

BlockHeap::Span* BlockHeap::NewSpan(size_t number) {
  const Shape shape = kShapes[number];
  Span* span = new (TakeAddresses(std::countr_zero(shape.span_bytes))) Span{};
  unused_bytes_.fetch_add(ShareOf(number) * shape.blocks, std::memory_order_relaxed);
  size_classes_[number].free_count.fetch_add(shape.blocks, std::memory_order_relaxed);
  return span;
}

void* BlockHeap::TakeAddresses(int bits) {
  FERRITE_CHECK(bits < kAddressBits);
  Addresses& addresses = addresses_[static_cast<size_t>(bits)];
  MutexLock lock(&addresses.mutex);
  if (!addresses.warm.empty()) {
    void* memory = addresses.warm.back();
    addresses.warm.pop_back();
    return memory;
  }
  if (addresses.free.empty()) {
    // Twice as many as needed, so that an aligned stretch lies within; what is not used costs
    // nothing.
    const size_t bytes = size_t{1} << bits;
    const size_t batch = std::max(bytes, kBatchBytes);
    void* mapped = mmap(nullptr, batch + bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    FERRITE_CHECK(mapped != MAP_FAILED);
    // Where the kernel makes pages huge unasked, it would fill up the spans that are not in use.
    if (bytes <= kMaxSpanBytes) madvise(mapped, batch + bytes, MADV_NOHUGEPAGE);
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
  Addresses& addresses = addresses_[static_cast<size_t>(bits)];
  if (size_t{1} << bits <= kMaxSpanBytes) {
    MutexLock lock(&addresses.mutex);
    if (addresses.warm.size() << bits < kWarmBytes) return addresses.warm.push_back(memory);
  }
  madvise(memory, RoundUpToPages(touched_bytes), MADV_DONTNEED);
  MutexLock lock(&addresses.mutex);
  addresses.free.push_back(memory);
}

}  // namespace ferrite
