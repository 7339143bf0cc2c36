#include "store/memory/block_heap.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>

#include "base/check.h"

namespace ferrite {
namespace {

size_t RoundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

// At the start of its memory.
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
  static_assert(std::all_of(kShapes.begin(), kShapes.end(), [](Shape shape) {
    return shape.span_bytes() <= kMaxExactBytes && shape.blocks <= kMaxBlocksPerSpan;
  }));
  // A handful of comparisons, next to a copy of at least as many bytes.
  size_t low = 0, high = kShapes.size() - 1;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (kShapes[middle].block_bytes() >= bytes) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

size_t BlockHeap::MemoryBytes(size_t bytes) {
  return bytes > kMaxSmallBytes ? RoundUp(bytes, kSystemPageBytes)
                                : kShapes[SizeClassOf(bytes)].share();
}

size_t BlockHeap::NewBytes(size_t bytes) const {
  if (bytes > kMaxSmallBytes) return RoundUp(bytes, kSystemPageBytes);
  const size_t number = SizeClassOf(bytes);
  const bool has_room = size_classes_[number].free_count.load(std::memory_order_relaxed) > 0;
  return has_room ? 0 : kShapes[number].span_bytes();
}

void* BlockHeap::Allocate(size_t bytes) {
  if (bytes > kMaxSmallBytes) return TakeAddresses(AddressesFor(bytes));
  const size_t number = SizeClassOf(bytes);
  SizeClass& size_class = size_classes_[number];
  void* block = nullptr;
  {
    MutexLock lock(&size_class.mutex);
    if (size_class.partial_bits != 0) {
      const auto used = static_cast<size_t>(std::bit_width(size_class.partial_bits) - 1);
      Span* const span = size_class.partial[used];
      Unlink(&size_class, span);
      block = TakeBlock(&size_class, number, span);
    }
  }
  if (block == nullptr) {
    // Others may find no span either and make more: then some of them are used by later blocks.
    Span* const span = NewSpan(number);
    MutexLock lock(&size_class.mutex);
    block = TakeBlock(&size_class, number, span);
  }
  unused_bytes_.fetch_sub(kShapes[number].share(), std::memory_order_relaxed);
  size_class.free_count.fetch_sub(1, std::memory_order_relaxed);
  return block;
}

void* BlockHeap::TakeBlock(SizeClass* size_class, size_t number, Span* span) {
  void* block = span->free;
  if (block != nullptr) {
    span->free = *static_cast<void**>(block);
  } else {
    block = reinterpret_cast<char*>(span) + kSpanHeaderBytes +
            span->never_used++ * kShapes[number].block_bytes();
  }
  if (++span->used < kShapes[number].blocks) Link(size_class, span);
  return block;
}

void BlockHeap::Free(void* block, size_t bytes) {
  if (bytes > kMaxSmallBytes) return ReturnAddresses(AddressesFor(bytes), block, bytes);
  const size_t number = SizeClassOf(bytes);
  const size_t blocks = kShapes[number].blocks;
  Span* const span = SpanOf(block, number);
  SizeClass& size_class = size_classes_[number];
  {
    MutexLock lock(&size_class.mutex);
    *static_cast<void**>(block) = span->free;
    span->free = block;
    if (span->used < blocks) Unlink(&size_class, span);
    size_class.free_count.fetch_add(1, std::memory_order_relaxed);
    if (--span->used > 0) {
      Link(&size_class, span);
      unused_bytes_.fetch_add(kShapes[number].share(), std::memory_order_relaxed);
      return;
    }
    size_class.free_count.fetch_sub(blocks, std::memory_order_relaxed);
    unused_bytes_.fetch_sub(kShapes[number].share() * (blocks - 1), std::memory_order_relaxed);
  }
  ReturnAddresses(AddressesFor(kShapes[number].span_bytes()), span, kShapes[number].span_bytes());
}

BlockHeap::Span* BlockHeap::SpanOf(void* block, size_t size_class) {
  const auto address = reinterpret_cast<uintptr_t>(block);
  const auto page = static_cast<uint32_t>(address % kAreaBytes / kSystemPageBytes);
  const uint32_t first_page = page - page % kShapes[size_class].span_pages;
  return reinterpret_cast<Span*>(address - address % kAreaBytes + first_page * kSystemPageBytes);
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
  void* const memory = TakeAddresses(AddressesFor(kShapes[number].span_bytes()));
  unused_bytes_.fetch_add(kShapes[number].share() * shape.blocks, std::memory_order_relaxed);
  size_classes_[number].free_count.fetch_add(shape.blocks, std::memory_order_relaxed);
  return new (memory) Span{};
}

BlockHeap::BlockHeap() {
  for (size_t pages = 1; pages < exact_addresses_.size(); ++pages) {
    exact_addresses_[pages].length = pages * kSystemPageBytes;
  }
  for (size_t bits = 0; bits < kAddressBits; ++bits) {
    large_addresses_[bits].length = size_t{1} << bits;
  }
}

BlockHeap::Addresses* BlockHeap::AddressesFor(size_t bytes) {
  if (bytes <= kMaxExactBytes) {
    return &exact_addresses_[(bytes + kSystemPageBytes - 1) / kSystemPageBytes];
  }
  const auto bits = static_cast<size_t>(std::bit_width(bytes - 1));
  FERRITE_CHECK(bits < kAddressBits);
  return &large_addresses_[bits];
}

void* BlockHeap::TakeAddresses(Addresses* addresses) {
  const size_t length = addresses->length;
  {
    MutexLock lock(&addresses->mutex);
    std::vector<void*>& from = addresses->warm.empty() ? addresses->free : addresses->warm;
    if (!from.empty()) {
      void* memory = from.back();
      from.pop_back();
      return memory;
    }
  }
  // Twice as many as needed, so that an aligned area lies within; what is not used costs nothing.
  const size_t area = std::max(length, kAreaBytes);
  void* mapped = mmap(nullptr, 2 * area, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  FERRITE_CHECK(mapped != MAP_FAILED);
  // Where the kernel makes pages huge unasked, it would fill up the spans that are not in use.
  if (length < kAreaBytes) madvise(mapped, 2 * area, MADV_NOHUGEPAGE);
  char* const begin = reinterpret_cast<char*>(RoundUp(reinterpret_cast<uintptr_t>(mapped), area));
  MutexLock lock(&addresses->mutex);
  for (size_t offset = area / length * length; offset > length; offset -= length) {
    addresses->free.push_back(begin + offset - length);
  }
  return begin;
}

void BlockHeap::ReturnAddresses(Addresses* addresses, void* memory, size_t touched_bytes) {
  {
    MutexLock lock(&addresses->mutex);
    // Only where all of it is touched each time: else what one block touched would stay behind the
    // next.
    if (addresses->length <= kMaxExactBytes &&
        (addresses->warm.size() + 1) * addresses->length <= kWarmBytes) {
      return addresses->warm.push_back(memory);
    }
  }
  madvise(memory, RoundUp(touched_bytes, kSystemPageBytes), MADV_DONTNEED);
  MutexLock lock(&addresses->mutex);
  addresses->free.push_back(memory);
}

}  // namespace ferrite
