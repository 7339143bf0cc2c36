#pragma once

// Whether a node has stopped answering. That single calls miss their deadlines does not show it, as
// their time may have been short: nothing at all must have come for a while in which something was
// due.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>

namespace ferrite {

// Thread-safe. `now` almost never goes back.
class Silence {
 public:
  using Clock = std::chrono::steady_clock;

  // Something has come from the node.
  void NoteAnswer(Clock::time_point now) { heard_at_.store(Rep(now), std::memory_order_relaxed); }

  // A call has waited for an answer from `since` to `now`, in vain. Returns whether the node has
  // been silent since then, or since an earlier such call, for long enough.
  bool NoteUnanswered(Clock::time_point since, Clock::time_point now) {
    const Clock::rep heard = heard_at_.load(std::memory_order_relaxed);
    Clock::rep first = first_unanswered_.load(std::memory_order_relaxed);
    if (first < heard || first == kNone) {
      first = std::max(Rep(since), heard);
      first_unanswered_.store(first, std::memory_order_relaxed);
    }
    return Rep(now) - first >= Clock::duration(kPatience).count();
  }

 private:
  static constexpr std::chrono::milliseconds kPatience{250};
  static constexpr Clock::rep kNone = std::numeric_limits<Clock::rep>::min();

  static Clock::rep Rep(Clock::time_point time) { return time.time_since_epoch().count(); }

  std::atomic<Clock::rep> heard_at_{kNone};
  std::atomic<Clock::rep> first_unanswered_{kNone};
};

}  // namespace ferrite
