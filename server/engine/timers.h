#pragma once

// Timers of one serving thread, on the steady clock. They ring on that thread; gRPC's own would go
// through a thread of gRPC and a lock.

#include <chrono>
#include <functional>
#include <map>
#include <utility>

namespace ferrite {

class Timer;

// Not thread-safe: belongs to one thread. Must outlive its timers' being set.
class Timers {
 public:
  using Clock = std::chrono::steady_clock;

  // When the next timer rings; Clock::time_point::max() if none is set.
  Clock::time_point next() const {
    return due_.empty() ? Clock::time_point::max() : due_.begin()->first;
  }
  // Rings every timer that is due by `now`. They may set themselves anew.
  void RingDue(Clock::time_point now);

 private:
  friend class Timer;
  std::multimap<Clock::time_point, Timer*> due_;
};

// Calls a function once when its time has come. Not thread-safe: for the thread of its timers.
class Timer {
 public:
  explicit Timer(std::function<void()> ring) : ring_(std::move(ring)) {}
  ~Timer() { Cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Rings at that time, instead of the one that it was set to before.
  void Set(Timers* timers, Timers::Clock::time_point due);
  void Cancel();

 private:
  friend class Timers;

  const std::function<void()> ring_;
  Timers* timers_ = nullptr;  // null: not set
  std::multimap<Timers::Clock::time_point, Timer*>::iterator place_;
};

}  // namespace ferrite
