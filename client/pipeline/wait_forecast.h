#pragma once

// How long a call that joins the queue now would take to be answered, going by how long those
// before it take.
//
// While the queue never empties, answers come at the rate at which the node can make them. Then a
// new call is answered after those that wait or are under way:
//
//   wait = calls before it / answers per second since the queue was empty last
//
// Until an answer has come in that time nothing is known: a node that is silent for a moment is not
// taken for a slow one.

#include <chrono>
#include <cstddef>

namespace ferrite {

// Not thread-safe. `now` never goes back.
class WaitForecast {
 public:
  using Clock = std::chrono::steady_clock;

  // The queue is empty.
  void Emptied(Clock::time_point now) {
    busy_since_ = now;
    answered_ = 0;
  }
  void Answered(size_t calls) { answered_ += calls; }

  // The wait of a call with so many before it; zero if nothing is known.
  Clock::duration Wait(size_t calls_before, Clock::time_point now) {
    const Clock::duration busy = now - busy_since_;
    if (busy < kShortest || answered_ == 0) return {};
    // The nearest past counts.
    if (busy > kLongest) {
      busy_since_ += busy / 2;
      answered_ /= 2;
      return Wait(calls_before, now);
    }
    return std::chrono::duration_cast<Clock::duration>(
        busy * (static_cast<double>(calls_before) / static_cast<double>(answered_)));
  }

 private:
  // A burst of calls is no backlog.
  static constexpr Clock::duration kShortest = std::chrono::milliseconds(20);
  static constexpr Clock::duration kLongest = std::chrono::seconds(1);

  Clock::time_point busy_since_;
  size_t answered_ = 0;  // since busy_since_
};

}  // namespace ferrite
