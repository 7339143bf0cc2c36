#include "store/memory/huge_memory.h"

#include <sys/mman.h>

#include <cstdint>

#include "base/check.h"

namespace ferrite {
namespace {

// MADV_COLLAPSE, which the C library does not know yet.
constexpr int kCollapse = 25;

}  // namespace

void* MapForHuge(size_t bytes) {
  // One huge page too many, so that an aligned stretch lies within; the ends are given back.
  const size_t padded = bytes + kHugePageBytes;
  void* mapped = mmap(nullptr, padded, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  FERRITE_CHECK(mapped != MAP_FAILED);
  char* begin = static_cast<char*>(mapped);
  const size_t head = -reinterpret_cast<uintptr_t>(begin) % kHugePageBytes;
  if (head > 0) munmap(begin, head);
  begin += head;
  munmap(begin + bytes, padded - head - bytes);
  madvise(begin, bytes, MADV_NOHUGEPAGE);  // not yet
  return begin;
}

void Unmap(void* memory, size_t bytes) { munmap(memory, bytes); }

HugePageQueue::~HugePageQueue() {
  if (spare_ != nullptr) Unmap(spare_, kHugePageBytes);
}

void HugePageQueue::Add(void* memory, size_t bytes) {
  MutexLock lock(&mutex_);
  ranges_.push_back({memory, bytes});
}

void HugePageQueue::KeepSmall(void* huge_page) {
  {
    MutexLock lock(&mutex_);
    std::erase_if(ranges_, [huge_page](const Range& range) { return range.memory == huge_page; });
    if (under_way_ == huge_page) under_way_ = nullptr;
  }
  madvise(huge_page, kHugePageBytes, MADV_NOHUGEPAGE);
}

bool HugePageQueue::MakeOneHuge() {
  Range range;
  {
    MutexLock lock(&mutex_);
    if (ranges_.empty()) return false;
    range = ranges_.back();
    ranges_.pop_back();
    under_way_ = range.memory;
  }
  const uintptr_t address = reinterpret_cast<uintptr_t>(range.memory);
  const uintptr_t begin = (address + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  const uintptr_t end = (address + range.bytes) / kHugePageBytes * kHugePageBytes;
  for (uintptr_t page = begin; page < end; page += kHugePageBytes) {
    if (can_make_) HaveOneFound();
    // Both are wishes: without huge pages everything still works. Where the second is unknown
    // (before Linux 6.1), the kernel gets round to it by itself.
    madvise(reinterpret_cast<void*>(page), kHugePageBytes, MADV_HUGEPAGE);
    can_make_ = madvise(reinterpret_cast<void*>(page), kHugePageBytes, kCollapse) == 0;
  }
  MutexLock lock(&mutex_);
  // KeepSmall came in between, too early.
  if (under_way_ == nullptr) madvise(range.memory, range.bytes, MADV_NOHUGEPAGE);
  under_way_ = nullptr;
  return true;
}

// While the kernel copies small pages into a huge one, nobody else in the process can get memory.
// On a virtual machine nearly all of that time, 6 ms and more, may go into finding memory for the
// huge page, if the host has to. So have it found before, while nobody waits: the huge page that
// was freed last is the one that the kernel takes next.
void HugePageQueue::HaveOneFound() {
  if (spare_ == nullptr) {
    spare_ = static_cast<char*>(MapForHuge(kHugePageBytes));
    madvise(spare_, kHugePageBytes, MADV_HUGEPAGE);
  }
  *spare_ = 1;
  madvise(spare_, kHugePageBytes, MADV_DONTNEED);
}

HugeArena::~HugeArena() {
  for (const Mapping& mapping : mappings_) Unmap(mapping.memory, mapping.bytes);
}

void* HugeArena::Allocate(size_t bytes) {
  bytes = (bytes + 63) / 64 * 64;
  MutexLock lock(&mutex_);
  if (static_cast<size_t>(end_ - next_) < bytes) {
    const size_t mapped = (bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
    char* memory = static_cast<char*>(MapForHuge(mapped));
    // What was cut up so far is in use now.
    if (!mappings_.empty() && mappings_.back().bytes == kHugePageBytes) {
      huge_->Add(mappings_.back().memory, kHugePageBytes);
    }
    mappings_.push_back({memory, mapped});
    // Keep whichever rest is larger: that of the new mapping or that of the old one.
    if (mapped - bytes <= static_cast<size_t>(end_ - next_)) return memory;
    next_ = memory;
    end_ = memory + mapped;
  }
  char* result = next_;
  next_ += bytes;
  return result;
}

}  // namespace ferrite
