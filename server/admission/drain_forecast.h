#pragma once

// How long a call would take that is taken up now, going by how long those before it take.
//
// A thread that has had no rest for a while has a backlog, and answers leave it at the rate at
// which it can make them. Then a new call is out after those that are in progress:
//
//   wait = calls in progress / answers per second since the last rest
//
// Calls that wait for something else, such as clients that do not read, hold nobody up and do not
// count. While the thread rests now and then there is no backlog, however many are in progress.
//
// On a busy machine a thread loses its core for many milliseconds, often before the first of a
// burst's answers is out, and the rate of so few answers says nothing. Hence two bounds: the
// longest time in which the thread took up no call is left out, and the forecast looks ahead no
// further than a few times as far as it can look back.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace ferrite {

// Not thread-safe: belongs to one thread.
class DrainForecast {
 public:
  using Clock = std::chrono::steady_clock;

  // The thread had nothing to do until now.
  void Rested(Clock::time_point now) {
    rested_at_ = busy_since_ = asked_at_ = now;
    longest_gap_ = {};
    answered_ = 0;
  }
  void Started() { ++in_progress_; }
  // A call that has started waits for something else, without an answer.
  void Left() { --in_progress_; }
  void Answered() {
    --in_progress_;
    ++answered_;
  }

  // The wait of a call that is taken up now; zero unless there is a backlog. Ask once for each.
  Clock::duration Wait(Clock::time_point now) {
    LeaveOutGap(now - asked_at_);
    asked_at_ = now;
    if (now - busy_since_ < kShortest || in_progress_ == 0) return {};
    while (now - busy_since_ > kLongest) ForgetHalf(now);
    return std::min((now - busy_since_) * in_progress_ / (answered_ + 1),
                    kFarthest * (now - rested_at_));
  }

 private:
  // A burst of calls is no backlog.
  static constexpr Clock::duration kShortest = std::chrono::milliseconds(20);
  static constexpr Clock::duration kLongest = std::chrono::seconds(1);
  static constexpr int kFarthest = 4;  // times as far as back

  // Of all gaps since the last rest, only the longest is left out: what comes again and again is
  // the rate that the machine allows.
  void LeaveOutGap(Clock::duration gap) {
    if (gap <= longest_gap_) return;
    rested_at_ += gap - longest_gap_;
    busy_since_ += gap - longest_gap_;
    longest_gap_ = gap;
  }
  // The nearest past counts.
  void ForgetHalf(Clock::time_point now) {
    busy_since_ += (now - busy_since_) / 2;
    answered_ /= 2;
  }

  // These two are later than they were by the longest gap.
  Clock::time_point rested_at_ = Clock::now();
  Clock::time_point busy_since_ = rested_at_;  // or the part of it that still counts
  Clock::time_point asked_at_ = rested_at_;
  Clock::duration longest_gap_{};
  int64_t in_progress_ = 0;
  int64_t answered_ = 0;  // since busy_since_
};

}  // namespace ferrite
