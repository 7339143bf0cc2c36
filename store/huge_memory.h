#pragma once

// Memory in whole huge pages, straight from the kernel. One TLB entry then covers 2 MiB, which
// matters as much as the cache misses themselves once the store is larger than the TLB's reach.

#include <cstddef>
#include <vector>

#include "store/mutex.h"

namespace ferrite {

inline constexpr size_t kHugePageBytes = size_t{2} << 20;

// Maps zeroed memory, aligned to a huge page. The kernel is asked for
// huge pages and may give small ones. Ends the process when there is no address space. Thread-safe,
// as is UnmapHuge.
void* MapHuge(size_t bytes);
void UnmapHuge(void* memory, size_t bytes);

// Hands out long-lived arrays from huge pages; takes nothing back before it is destroyed.
// Thread-safe.
class HugeArena {
 public:
  HugeArena() = default;
  ~HugeArena();
  HugeArena(const HugeArena&) = delete;
  HugeArena& operator=(const HugeArena&) = delete;

  // Zeroed, aligned to 64 bytes.
  void* Allocate(size_t bytes);

  // What has been mapped so far.
  size_t mapped_bytes() const;

 private:
  struct Mapping {
    void* memory;
    size_t bytes;
  };
  mutable Mutex mutex_;
  std::vector<Mapping> mappings_ ABSL_GUARDED_BY(mutex_);
  char* next_ ABSL_GUARDED_BY(mutex_) = nullptr;  // the rest of the mapping that is being cut up
  char* end_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace ferrite
