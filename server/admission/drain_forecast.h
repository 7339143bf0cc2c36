#pragma once

// How long a call would take that is taken up now, going by how long those before it take.
//
// A thread that has had no rest for a while has a backlog, and answers leave it at the rate at
// which it can make them. Then a new call is out after those that are in progress:
//
//   wait = calls in progress / answers per second since the last rest
//
// While the thread rests now and then there is no backlog, however many calls are in progress: they
// wait for clients that do not read, and hold nobody else up.

#include <chrono>
#include <cstdint>

namespace ferrite {

// Not thread-safe: belongs to one thread.
class DrainForecast {
 public:
  using Clock = std::chrono::steady_clock;

  // The thread had nothing to do until now.
  void Rested(Clock::time_point now) {
    busy_since_ = now;
    answered_ = 0;
  }
  void Started() { ++in_progress_; }
  // A call that has started waits for something else, without an answer.
  void Left() { --in_progress_; }
  void Answered() {
    --in_progress_;
    ++answered_;
  }

  // The wait of a call that is taken up now; zero unless there is a backlog.
  Clock::duration Wait(Clock::time_point now) {
    const Clock::duration busy = now - busy_since_;
    if (busy < kShortest || in_progress_ == 0) return {};
    // The nearest past counts.
    if (busy > kLongest) {
      busy_since_ += busy / 2;
      answered_ /= 2;
      return Wait(now);
    }
    return busy * in_progress_ / (answered_ + 1);
  }

 private:
  // A burst of calls is no backlog.
  static constexpr Clock::duration kShortest = std::chrono::milliseconds(20);
  static constexpr Clock::duration kLongest = std::chrono::seconds(1);

  Clock::time_point busy_since_ = Clock::now();
  int64_t in_progress_ = 0;
  int64_t answered_ = 0;  // since busy_since_
};

}  // namespace ferrite
