#pragma once

#include <cstddef>

#include "base/clock.h"
#include "store/memory/page.h"

namespace ferrite {

// The least that a shard needs beside its tables: a page of each size. With fewer, sizes that are
// in use take them from one another all the time.
inline constexpr size_t kMinShardBytes = kSizeClassCount * kPageBytes;

struct StoreOptions {
  // 0: four per core, but no more than leave each some 16 MiB of the limit, and without one no
  // fewer than one for each 4 GiB of the machine's memory. Rounded up to a power of two, and to one
  // for each 4 GiB of the limit.
  size_t shards = 0;
  // 0: no limit.
  size_t max_memory_bytes = 0;
  // When false, a write without room fails instead.
  bool evict = true;
  // Must outlive the store.
  const Clock* clock = &Clock::System();
};

}  // namespace ferrite
