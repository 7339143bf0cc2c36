#pragma once

#include <memory>

#include "bench/eviction/cache.h"
#include "bench/eviction/entry_cost.h"

namespace ferrite::bench {

// Policies in their pure form, exact and with no memory of their own. They hold entries that cost
// at most `memory_bytes` in all, as `cost` has it.

// Evicts what was used least recently.
std::unique_ptr<Cache> MakeLru(const Trace& trace, double memory_bytes, EntryCost cost);
// Evicts what was stored first.
std::unique_ptr<Cache> MakeFifo(const Trace& trace, double memory_bytes, EntryCost cost);
// Knows the future: evicts what will be asked for last, the newcomer included. No policy does
// better while entries are of one size.
std::unique_ptr<Cache> MakeBelady(const Trace& trace, double memory_bytes, EntryCost cost);

}  // namespace ferrite::bench
