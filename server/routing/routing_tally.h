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
  kRefused,      // too much waited for it, or it or its answer was too large
  kMoved,        // the node that it went to did not own the slot
  kLate,         // its caller had no time left
};
// In the order of Forwarded.
inline constexpr std::array kForwardedNames = {"answered", "unreachable", "refused", "moved",
                                               "late"};

// Why such a stream ended that was not ended here: the labels of ferrite_cluster_feed_ends_total.
enum class FeedEnd : size_t {
  kMoved,        // its node no longer serves what is followed, or may not, or sees another map
  kRefused,      // there are as many streams as may be, here or there
  kSilent,       // nothing came, not even a sign of life
  kUnreachable,  // all else
};
// In the order of FeedEnd.
inline constexpr std::array kFeedEndNames = {"moved", "refused", "silent", "unreachable"};

// Written by one thread.
struct RoutingTally {
  std::array<Counter, kForwardedNames.size()> forwarded{};
  Counter moved{0};          // answers with SLOT_MOVED
  Counter waiting_bytes{0};  // of operations that have been forwarded and not ended
  Counter feeds{0};          // streams of other nodes' events that are open
  std::array<Counter, kFeedEndNames.size()> feed_ends{};

  void Count(FeedEnd end) { ThreadCounters::Add(&feed_ends[static_cast<size_t>(end)], 1); }
  void Count(Forwarded result) { ThreadCounters::Add(&forwarded[static_cast<size_t>(result)], 1); }
};

}  // namespace ferrite
