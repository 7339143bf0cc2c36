#include "store/memory/page_pool.h"

#include <sys/mman.h>

#include <cstdint>

namespace ferrite {

PagePool::~PagePool() {
  for (void* area : areas_) Unmap(area, kAreaBytes + kPageTailBytes);
}

void* PagePool::Acquire(bool beyond_limit) {
  MutexLock lock(&mutex_);
  if (!beyond_limit && !budget_->Allows(kPageBytes)) return nullptr;
  void* page;
  if (free_pages_.empty()) {
    page = TakeFreshPage();
  } else {
    page = free_pages_.back();
    free_pages_.pop_back();
    if (warm_count_ > 0) --warm_count_;
  }
  budget_->slot_bytes.fetch_add(kPageBytes, std::memory_order_relaxed);
  return page;
}

void* PagePool::TakeFreshPage() {
  if (reinterpret_cast<uintptr_t>(fresh_) % kHugePageBytes == 0 && fresh_ != nullptr) {
    // All of what lies before is in use now.
    void* const chunk = fresh_ - kHugePageBytes;
    huge_->Add(chunk, kHugePageBytes);
    small_chunks_.erase(chunk);
  }
  if (fresh_ == end_) {
    fresh_ = static_cast<char*>(MapForHuge(kAreaBytes + kPageTailBytes));
    end_ = fresh_ + kAreaBytes;
    areas_.push_back(fresh_);
  }
  void* const page = fresh_;
  fresh_ += kPageBytes;
  return page;
}

void PagePool::Release(void* page) {
  void* const chunk =
      reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(page) & ~(kHugePageBytes - 1));
  bool is_first;
  {
    MutexLock lock(&mutex_);
    if (warm_count_ < kMaxWarmPages) {
      ++warm_count_;
      free_pages_.push_back(page);
      budget_->slot_bytes.fetch_sub(kPageBytes, std::memory_order_relaxed);
      return;
    }
    is_first = small_chunks_.insert(chunk).second;
  }
  // Without the lock, as others want pages meanwhile.
  if (is_first) huge_->KeepSmall(chunk);
  madvise(page, kPageBytes, MADV_DONTNEED);
  MutexLock lock(&mutex_);
  free_pages_.push_front(page);
  budget_->slot_bytes.fetch_sub(kPageBytes, std::memory_order_relaxed);
}

}  // namespace ferrite
