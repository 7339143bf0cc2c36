#include "store/page_pool.h"

#include <sys/mman.h>

#include <cstdint>

namespace ferrite {

PagePool::~PagePool() {
  for (void* chunk : chunks_) Unmap(chunk, kHugePageBytes + kPageTailBytes);
}

void* PagePool::Acquire(bool beyond_limit) {
  MutexLock lock(&mutex_);
  if (!beyond_limit && !budget_->Allows(kPageBytes)) return nullptr;
  if (free_pages_.empty()) {
    // All pages of the chunk before are in use now.
    if (!chunks_.empty()) {
      huge_->Add(chunks_.back(), kHugePageBytes);
      small_chunks_.erase(chunks_.back());
    }
    char* chunk = static_cast<char*>(MapForHuge(kHugePageBytes + kPageTailBytes));
    chunks_.push_back(chunk);
    for (size_t offset = kHugePageBytes; offset > 0; offset -= kPageBytes) {
      free_pages_.push_back(chunk + offset - kPageBytes);  // the lowest address is taken first
    }
  }
  void* page = free_pages_.back();
  free_pages_.pop_back();
  if (warm_count_ > 0) --warm_count_;
  budget_->slot_bytes.fetch_add(kPageBytes, std::memory_order_relaxed);
  return page;
}

void PagePool::Release(void* page) {
  MutexLock lock(&mutex_);
  if (warm_count_ < kMaxWarmPages) {
    ++warm_count_;
    free_pages_.push_back(page);
  } else {
    void* const chunk =
        reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(page) & ~(kHugePageBytes - 1));
    if (small_chunks_.insert(chunk).second) huge_->KeepSmall(chunk);
    madvise(page, kPageBytes, MADV_DONTNEED);
    free_pages_.push_front(page);
  }
  budget_->slot_bytes.fetch_sub(kPageBytes, std::memory_order_relaxed);
}

}  // namespace ferrite
