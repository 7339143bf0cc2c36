#pragma once

// What the store's memory is used for, and the limit on it. Shared by all shards.

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "store/memory/block_heap.h"

namespace ferrite {

// Thread-safe. The parts are counted apart and summed on demand, so the sum is exact only when
// nobody writes. What the heap of blocks does not use is on everyone's account: there is one heap,
// and as a rule one store.
struct MemoryBudget {
  explicit MemoryBudget(size_t limit) : limit_bytes(limit) {}

  size_t total_bytes() const { return in_use_bytes() + BlockHeap::Instance().unused_bytes(); }

  // What is held against the limit.
  size_t used_bytes() const {
    const size_t unused_bytes = BlockHeap::Instance().unused_bytes();
    const size_t allowance = limit_bytes / kUnusedShare;
    return in_use_bytes() + reserved_bytes.load(std::memory_order_relaxed) +
           (unused_bytes > allowance ? unused_bytes - allowance : 0);
  }

  // Whether `more` bytes would still be within the limit.
  bool Allows(size_t more) const { return limit_bytes == 0 || used_bytes() + more <= limit_bytes; }

  bool IsExceeded() const { return !Allows(0); }

  // Reserves up to `bytes`, no more than is left within the limit. Returns how many.
  size_t ReserveUpTo(size_t bytes) {
    const size_t used = used_bytes();
    if (used >= limit_bytes) return 0;
    const size_t taken = std::min(bytes, limit_bytes - used);
    reserved_bytes.fetch_add(taken, std::memory_order_relaxed);
    // Others may have taken the same bytes meanwhile.
    const size_t used_now = used_bytes();
    const size_t excess = std::min(taken, used_now > limit_bytes ? used_now - limit_bytes : 0);
    reserved_bytes.fetch_sub(excess, std::memory_order_relaxed);
    return taken - excess;
  }

  // What the heap of blocks may have unused beyond the limit, as a share of it. Entries of other
  // sizes cannot use that memory at once, and evicting for it alone would be in vain.
  static constexpr size_t kUnusedShare = 32;

  const size_t limit_bytes;               // 0: none
  std::atomic<size_t> slot_bytes{0};      // pages handed to shards
  std::atomic<size_t> block_bytes{0};     // large values that entries hold
  std::atomic<size_t> table_bytes{0};     // hash buckets and hints
  std::atomic<size_t> eviction_bytes{0};  // what the eviction policy remembers
  std::atomic<size_t> reserved_bytes{0};  // free, and kept for writes to come (ReservedBytes)

 private:
  size_t in_use_bytes() const {
    return slot_bytes.load(std::memory_order_relaxed) +
           block_bytes.load(std::memory_order_relaxed) +
           table_bytes.load(std::memory_order_relaxed) +
           eviction_bytes.load(std::memory_order_relaxed);
  }
};

}  // namespace ferrite
