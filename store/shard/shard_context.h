#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "store/entries/hint_table.h"
#include "store/event.h"
#include "store/memory/huge_memory.h"
#include "store/memory/memory_budget.h"
#include "store/memory/page_pool.h"

namespace ferrite {

// What the shards of one store have in common. Thread-safe.
struct ShardContext {
  ShardContext(const Clock* clock, size_t limit_bytes, bool evict)
      : clock(clock), evict(evict), budget(limit_bytes), pages(&budget, &huge), tables(&huge) {}

  const Clock* const clock;
  std::atomic<bool> evict;
  MemoryBudget budget;
  HugePageQueue huge;
  PagePool pages;
  HugeArena tables;
  HintTable hints;
  size_t shard_count = 1;
  std::atomic<EventListener*> listener{nullptr};
  // Where versions follow the clock no further.
  std::atomic<uint64_t> version_ceiling{UINT64_MAX};
};

}  // namespace ferrite
