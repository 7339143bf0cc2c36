#pragma once

// What the store's memory is used for, and the limit on it. Shared by all shards.

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "store/memory/block_heap.h"

namespace ferrite {

// Thread-safe. The parts are counted apart and summed on demand, so the sum is exact only when
// nobody writes. There is one heap of blocks for all stores: what it does not use is on the account
// of the one that there is as a rule, or of several by their shares.
struct MemoryBudget {
  explicit MemoryBudget(size_t limit) : limit_bytes_(limit) {}

  // 0: none. May change at any time: what decides by it reads it once.
  size_t limit_bytes() const { return limit_bytes_.load(std::memory_order_relaxed); }
  void SetLimit(size_t bytes) {
    limit_bytes_.store(bytes, std::memory_order_relaxed);
    is_shrinking.store(IsExceeded(), std::memory_order_relaxed);
  }

  size_t total_bytes() const { return in_use_bytes() + own_unused_bytes(); }
  // What the heap of blocks does not use, as far as it is on this account.
  size_t own_unused_bytes() const {
    const size_t unused = BlockHeap::Instance().unused_bytes();
    const size_t share = heap_share.load(std::memory_order_relaxed);
    return share == kWholeHeap ? unused : unused / kWholeHeap * share;
  }

  // What is held against the limit, or against another one.
  size_t used_bytes() const { return used_bytes(limit_bytes()); }
  size_t used_bytes(size_t limit) const {
    const size_t unused_bytes = own_unused_bytes();
    const size_t allowance = limit / kUnusedShare;
    return in_use_bytes() + reserved_bytes.load(std::memory_order_relaxed) +
           (unused_bytes > allowance ? unused_bytes - allowance : 0);
  }

  // Whether `more` bytes would still be within the limit.
  bool Allows(size_t more) const {
    const size_t limit = limit_bytes();
    return limit == 0 || used_bytes(limit) + more <= limit;
  }

  bool IsExceeded() const { return !Allows(0); }

  // Reserves up to `bytes`, no more than is left within the limit. Returns how many.
  size_t ReserveUpTo(size_t bytes) {
    const size_t limit = limit_bytes();
    const size_t used = used_bytes(limit);
    const size_t left = limit == 0 ? bytes : limit - std::min(limit, used);
    const size_t taken = std::min(bytes, left);
    reserved_bytes.fetch_add(taken, std::memory_order_relaxed);
    if (limit == 0) return taken;
    // Others may have taken the same bytes meanwhile.
    const size_t used_now = used_bytes(limit);
    const size_t excess = std::min(taken, used_now > limit ? used_now - limit : 0);
    reserved_bytes.fetch_sub(excess, std::memory_order_relaxed);
    return taken - excess;
  }

  // What the heap of blocks may have unused beyond the limit, as a share of it. Entries of other
  // sizes cannot use that memory at once, and evicting for it alone would be in vain.
  static constexpr size_t kUnusedShare = 32;

  std::atomic<size_t> slot_bytes{0};      // pages handed to shards
  std::atomic<size_t> block_bytes{0};     // large values that entries hold
  std::atomic<size_t> table_bytes{0};     // hash buckets and hints
  std::atomic<size_t> eviction_bytes{0};  // what the eviction policy remembers
  std::atomic<size_t> reserved_bytes{0};  // free, and kept for writes to come (ReservedBytes)
  // How much of what the heap of blocks does not use is on this account, of kWholeHeap.
  static constexpr size_t kWholeHeap = 1024;
  std::atomic<size_t> heap_share{kWholeHeap};
  // The limit was lowered, and memory is still above it.
  std::atomic<bool> is_shrinking{false};

 private:
  size_t in_use_bytes() const {
    return slot_bytes.load(std::memory_order_relaxed) +
           block_bytes.load(std::memory_order_relaxed) +
           table_bytes.load(std::memory_order_relaxed) +
           eviction_bytes.load(std::memory_order_relaxed);
  }

  std::atomic<size_t> limit_bytes_;
};

}  // namespace ferrite
