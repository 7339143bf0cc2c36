#pragma once

#include <cstddef>

#include "store/memory/huge_memory.h"
#include "store/memory/memory_budget.h"

namespace ferrite {

// Where the hash map of one shard gets its nodes and buckets from. A node is the slot that the
// shard prepared for the insertion that is under way.
//
// Not thread-safe: used within insertions and growth, which hold the shard's mutex.
class NodeMemory {
 public:
  // All of these outlive it.
  NodeMemory(MemoryBudget* budget, HugeArena* tables, HugePageQueue* huge)
      : budget_(*budget), tables_(*tables), huge_(*huge) {}

  // The slot that the next node will lie in.
  void PrepareSlot(void* slot) { prepared_slot_ = slot; }
  // That slot, once; null if none was prepared.
  void* TakePreparedSlot() {
    void* const slot = prepared_slot_;
    prepared_slot_ = nullptr;
    return slot;
  }

  // Counted by the budget. Zeroed if large. Ends the process when the system has no memory.
  void* AllocateBuckets(size_t bytes);
  void FreeBuckets(void* buckets, size_t bytes);
  // All of this memory for buckets is in use now.
  void BucketsFilled(void* buckets, size_t bytes) { huge_.Add(buckets, bytes); }

 private:
  void* prepared_slot_ = nullptr;
  MemoryBudget& budget_;
  HugeArena& tables_;
  HugePageQueue& huge_;
};

}  // namespace ferrite
