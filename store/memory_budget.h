#pragma once

// What the store's memory is used for, and the limit on it. Shared by all shards.

#include <atomic>
#include <cstddef>

namespace ferrite {

// Thread-safe. The parts are counted apart and summed on demand, so the sum is exact only when
// nobody writes.
struct MemoryBudget {
  explicit MemoryBudget(size_t limit) : limit_bytes(limit) {}

  size_t used_bytes() const {
    return slot_bytes.load(std::memory_order_relaxed) +
           block_bytes.load(std::memory_order_relaxed) +
           table_bytes.load(std::memory_order_relaxed) +
           eviction_bytes.load(std::memory_order_relaxed);
  }

  // Whether `more` bytes would still be within the limit.
  bool Allows(size_t more) const { return limit_bytes == 0 || used_bytes() + more <= limit_bytes; }

  bool IsExceeded() const { return !Allows(0); }

  const size_t limit_bytes;               // 0: none
  std::atomic<size_t> slot_bytes{0};      // pages handed to shards
  std::atomic<size_t> block_bytes{0};     // large values that entries hold
  std::atomic<size_t> table_bytes{0};     // hash buckets
  std::atomic<size_t> eviction_bytes{0};  // what the eviction policy remembers
};

}  // namespace ferrite
