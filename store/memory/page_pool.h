#pragma once

// Where shards get their pages from and give them back to, within the memory limit. Pages are cut
// from huge pages.

#include <cstddef>
#include <deque>
#include <unordered_set>
#include <vector>

#include "base/mutex.h"
#include "store/memory/huge_memory.h"
#include "store/memory/memory_budget.h"
#include "store/memory/page.h"

namespace ferrite {

// Thread-safe.
class PagePool {
 public:
  // Both must outlive the pool.
  PagePool(MemoryBudget* budget, HugePageQueue* huge) : budget_(budget), huge_(huge) {}
  ~PagePool();
  PagePool(const PagePool&) = delete;
  PagePool& operator=(const PagePool&) = delete;

  // Memory for a page, aligned to its size, contents undefined; null when the budget does not allow
  // it, unless `beyond_limit` is set.
  void* Acquire(bool beyond_limit = false);

  // Gives a page back. Its memory stays mapped, so that a reader that guessed its address wrongly
  // reads only nonsense.
  void Release(void* page);

 private:
  // Free pages kept warm; the memory of others goes back to the kernel.
  static constexpr size_t kMaxWarmPages = 32;
  // Addresses are asked for so many at a time: a thread that asks has to wait while
  // the kernel makes a huge page.
  static constexpr size_t kAreaBytes = 32 * kHugePageBytes;

  // A page that was never used.
  void* TakeFreshPage() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  MemoryBudget* const budget_;
  HugePageQueue* const huge_;
  Mutex mutex_;
  std::vector<void*> areas_ ABSL_GUARDED_BY(mutex_);
  // The rest of the last one, which was never used.
  char* fresh_ ABSL_GUARDED_BY(mutex_) = nullptr;
  char* end_ ABSL_GUARDED_BY(mutex_) = nullptr;
  // Huge pages of which parts were given back to the kernel.
  std::unordered_set<void*> small_chunks_ ABSL_GUARDED_BY(mutex_);
  std::deque<void*> free_pages_ ABSL_GUARDED_BY(mutex_);  // the warm ones last
  size_t warm_count_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace ferrite
