#pragma once

// Memory for huge pages, straight from the kernel. One TLB entry then covers 2 MiB, which matters
// once the store is larger than the TLB's reach.
//
// A huge page that is made when it is first touched has to be cleared as a whole by the thread that
// touches it: up to 5 ms on a virtual machine whose host has to find the memory as well. So memory
// comes as small pages, a few at a time, and is made huge when all of it is in use, by a thread
// that nobody waits for.

#include <cstddef>
#include <vector>

#include "base/mutex.h"

namespace ferrite {

inline constexpr size_t kHugePageBytes = size_t{2} << 20;

// Maps zeroed memory, aligned to a huge page, as small pages for now. Ends the process when there
// is no address space. Thread-safe, as is all of this.
void* MapForHuge(size_t bytes);
void Unmap(void* memory, size_t bytes);

// Memory that is to become huge.
class HugePageQueue {
 public:
  HugePageQueue() = default;
  ~HugePageQueue();
  HugePageQueue(const HugePageQueue&) = delete;
  HugePageQueue& operator=(const HugePageQueue&) = delete;

  // All of this memory is in use. It has to stay mapped as long as the queue is used.
  void Add(void* memory, size_t bytes);

  // Some of the memory of this huge page is about to be given back: from now on it stays small
  // pages, which the kernel would otherwise fill up again by itself. A wish, as all of this.
  void KeepSmall(void* huge_page);

  // Makes the whole huge pages within one of what was added huge, if the kernel can. False if there
  // was nothing to do. It takes some milliseconds for each where the host has to find the memory,
  // or the kernel to move other memory first; of these, other threads wait a fraction of one for
  // memory. One thread at a time.
  bool MakeOneHuge();

 private:
  struct Range {
    void* memory;
    size_t bytes;
  };
  void HaveOneFound();

  Mutex mutex_;
  std::vector<Range> ranges_ ABSL_GUARDED_BY(mutex_);
  // What is being made huge; null, too, if it is to stay small after all.
  void* under_way_ ABSL_GUARDED_BY(mutex_) = nullptr;
  char* spare_ = nullptr;  // addresses of a huge page, for HaveOneFound
  bool can_make_ = true;   // whether the kernel could the last time
};

// Hands out long-lived arrays from huge pages; takes nothing back before it is destroyed.
// Thread-safe.
class HugeArena {
 public:
  // `huge` is told what has been handed out; it must outlive the arena.
  explicit HugeArena(HugePageQueue* huge) : huge_(huge) {}
  ~HugeArena();
  HugeArena(const HugeArena&) = delete;
  HugeArena& operator=(const HugeArena&) = delete;

  // Zeroed, aligned to 64 bytes.
  void* Allocate(size_t bytes);

 private:
  struct Mapping {
    void* memory;
    size_t bytes;
  };
  HugePageQueue* const huge_;
  Mutex mutex_;
  std::vector<Mapping> mappings_ ABSL_GUARDED_BY(mutex_);
  char* next_ ABSL_GUARDED_BY(mutex_) = nullptr;  // the rest of the mapping that is being cut up
  char* end_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace ferrite
