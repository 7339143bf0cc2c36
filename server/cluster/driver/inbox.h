#pragma once

// What has happened and the core was not told yet.

#include <chrono>
#include <cstddef>
#include <deque>
#include <utility>

#include "base/mutex.h"
#include "server/cluster/core/event.h"

namespace ferrite::cluster {

// Thread-safe.
class Inbox {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void Add(Event event) {
    MutexLock lock(&mutex_);
    events_.push_back(std::move(event));
    changed_.NotifyAll();
  }
  // A hint that is one too many is left out: those that wait make the core look anyway.
  void AddHint(WatchHint hint) {
    MutexLock lock(&mutex_);
    if (hints_ >= kMaxHints) return;
    ++hints_;
    events_.emplace_back(std::move(hint));
    changed_.NotifyAll();
  }
  // Nobody waits any more, now or later.
  void Close() {
    MutexLock lock(&mutex_);
    closed_ = true;
    changed_.NotifyAll();
  }
  bool closed() const {
    MutexLock lock(&mutex_);
    return closed_;
  }

  // Waits for that, until `end` at most.
  void WaitClosed(Time end) {
    MutexLock lock(&mutex_);
    while (!closed_ && changed_.WaitUntil(&mutex_, end)) {
    }
  }

  // All events so far. Waits for one until `end` if there is none.
  std::deque<Event> Take(Time end) {
    MutexLock lock(&mutex_);
    while (events_.empty() && !closed_ && changed_.WaitUntil(&mutex_, end)) {
    }
    hints_ = 0;
    return std::exchange(events_, {});
  }

 private:
  static constexpr size_t kMaxHints = 64;

  mutable Mutex mutex_;
  Condition changed_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  size_t hints_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Event> events_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite::cluster
