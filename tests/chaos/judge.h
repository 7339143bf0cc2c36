#pragma once

// Whether what clients were told of one key of a cluster could have been told by one map that does
// one call after the other, while nodes die, stand still, and lose sight of each other.
//
// The promise, in this order of precision. There is an order of all calls on the key, and of times
// at which it was forgotten, such that
//   - each call whose outcome is known has exactly one place, between its begin and its end; one
//     that failed and said that nothing was done has none;
//   - a call whose outcome is unknown has one place after its begin, or none; a set that its client
//     may have tried more than once has further places after its begin, or none;
//   - the key is forgotten only while slots might change their owner, as they arrive empty;
//   - each answer is what the map would have said at that place: a read tells the last value that
//     was set, or that there is none after a Delete or a loss; an Incr counts on from there, and
//     anew after a loss; each version is above all versions of that key before, over deletions and
//     losses.
// So a read may miss what was acknowledged, after a change of owner; but it never tells an older
// value, what was forgotten never comes back, nothing counts twice, and versions never go back.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/store/linearizability.h"

namespace ferrite {

enum class Outcome : uint8_t {
  kKnown,        // the answer is in the call
  kUnknown,      // it may have been executed, or may still be
  kNothingDone,  // it was refused
};

// One of kGet, kSet, kDelete and kIncr (by 1); a key that is counted is neither set nor deleted.
// All that is set is different. Of a call whose outcome is unknown, only `value` counts, what it
// would have set, and `begin_ns`.
struct ObservedCall {
  RecordedCall call;
  Outcome outcome = Outcome::kKnown;
  // A set that may have been executed more often than once: its client tries again.
  bool may_repeat = false;
};

// A time, with both ends, in nanoseconds.
using TimeSpan = std::pair<int64_t, int64_t>;

// Judges all calls on one key that was absent before, which may have been forgotten in each of
// `losses`. None if the promise was kept; else what broke it.
std::optional<std::string> FindBrokenPromise(const std::vector<ObservedCall>& observed,
                                             std::vector<TimeSpan> losses);

// The longest time within `span` in which no call was answered, from its begin on and up to its
// end.
int64_t LongestSilenceNs(const std::vector<ObservedCall>& observed, const TimeSpan& span);

// The longest time for which somebody wanted an answer about the key and nobody got any: from the
// begin of a call that failed, or that was answered late, to the first answer, at the latest to
// `end_ns`. A time in which nobody asked does not count.
int64_t LongestWaitNs(std::vector<ObservedCall> observed, int64_t end_ns);

}  // namespace ferrite
