#pragma once

#include <cstdint>

namespace ferrite {

// What a near cache has done since it was created, and what it holds.
struct NearCacheStats {
  uint64_t hits = 0;    // answered from the process
  uint64_t misses = 0;  // calls to the server for keys under the prefixes
  uint64_t joined = 0;  // answered by another read's call
  // Of `misses` and `joined`: not answered from the process because the cache could not be sure
  // that its entries were current within max_staleness.
  uint64_t stale = 0;
  uint64_t invalidations = 0;  // entries dropped because they were overwritten or gone
  uint64_t refusals = 0;   // answers not kept: something newer was known, or might have been missed
  uint64_t evictions = 0;  // entries dropped to make room
  uint64_t flushes = 0;    // times that all entries were dropped, as events may have been missed
  uint64_t entries = 0;    // held now
  uint64_t bytes = 0;      // taken by them, keys and overhead included
};

}  // namespace ferrite
