#pragma once

// What is counted of routing on each thread.

#include <array>
#include <cstddef>

#include "server/metrics/thread_counters.h"

namespace ferrite {

// What became of an operation that was forwarded: the labels of ferrite_cluster_forwarded_total.
enum class Forwarded : size_t {
  kAnswered,     // by its owner, if with an error
  kUnreachable,  // its owner was not reached, or did not answer
  kRefused,      // too much waited for it
  kMoved,        // the node that it went to did not own the slot
};
// In the order of Forwarded.
inline constexpr std::array kForwardedNames = {"answered", "unreachable", "refused", "moved"};

// Written by one thread.
struct RoutingTally {
  std::array<Counter, kForwardedNames.size()> forwarded{};
  Counter moved{0};          // answers with SLOT_MOVED
  Counter waiting_bytes{0};  // of operations that have been forwarded and not ended

  void Count(Forwarded result) { ThreadCounters::Add(&forwarded[static_cast<size_t>(result)], 1); }
};

}  // namespace ferrite
