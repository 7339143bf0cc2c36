#pragma once

#include <cstddef>

#include "store/memory/memory_budget.h"

namespace ferrite {

// Bytes of a budget that are kept for a write to come: they count as used, so that other writers
// evict for themselves and do not take what was freed for this one. Given back at the end.
//
// Not thread-safe; any number of them may share a budget.
class ReservedBytes {
 public:
  // `budget` must outlive it.
  explicit ReservedBytes(MemoryBudget* budget) : budget_(*budget) {}
  ~ReservedBytes() { GiveBack(); }
  ReservedBytes(const ReservedBytes&) = delete;
  ReservedBytes& operator=(const ReservedBytes&) = delete;

  // Reserves what the limit leaves, until there are `bytes`. Returns whether there are.
  bool GrowTo(size_t bytes) {
    if (bytes_ < bytes) bytes_ += budget_.ReserveUpTo(bytes - bytes_);
    return bytes_ >= bytes;
  }
  void GiveBack() {
    budget_.reserved_bytes.fetch_sub(bytes_, std::memory_order_relaxed);
    bytes_ = 0;
  }
  size_t bytes() const { return bytes_; }

 private:
  MemoryBudget& budget_;
  size_t bytes_ = 0;
};

}  // namespace ferrite
