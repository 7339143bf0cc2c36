#pragma once

// Predicts how long a call that joins the queue now will take to be answered, from how long those
// before it took.
//
// While the queue is never empty, answers come at the rate at which the node can produce them. Then
// a new call is answered after those that wait or are under way:
//
//   wait = calls before it / answers per second since the queue was empty last
//
// and no more than so many calls are answered in a given time:
//
//   room = time * answers per second
//
// Until an answer has come in that time nothing is known: a pause is not taken for slowness.

#include <chrono>
#include <cstddef>
#include <limits>

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

  // The wait of a call with so many calls before it; zero if nothing is known.
  Clock::duration Wait(size_t calls_before, Clock::time_point now) {
    const Clock::duration busy = Busy(now);
    if (busy < kShortest || answered_ == 0) return {};
    return std::chrono::duration_cast<Clock::duration>(
        busy * (static_cast<double>(calls_before) / static_cast<double>(answered_)));
  }

  // How many calls are answered within `time`; no bound if nothing is known.
  size_t Room(Clock::duration time, Clock::time_point now) {
    const Clock::duration busy = Busy(now);
    if (busy < kShortest || answered_ == 0) return std::numeric_limits<size_t>::max();
    return static_cast<size_t>(static_cast<double>(answered_) *
                               (std::chrono::duration<double>(time) / busy));
  }

 private:
  // For how long the queue has not been empty. Only the recent past counts.
  Clock::duration Busy(Clock::time_point now) {
    while (now - busy_since_ > kLongest) {
      busy_since_ += (now - busy_since_) / 2;
      answered_ /= 2;
    }
    return now - busy_since_;
  }

  // A burst of calls is no backlog.
  static constexpr Clock::duration kShortest = std::chrono::milliseconds(20);
  static constexpr Clock::duration kLongest = std::chrono::seconds(1);

  Clock::time_point busy_since_;
  size_t answered_ = 0;  // since busy_since_
};

}  // namespace ferrite
