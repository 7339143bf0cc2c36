#pragma once

// A mutex, and a condition on what it guards, that clang's thread-safety analysis understands and
// that the thread sanitizer sees: Abseil's own lie in a system library that is not instrumented, so
// that every section they guard would look like a race.

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "base/pause.h"

namespace ferrite {

class ABSL_LOCKABLE Mutex {
 public:
  // Tries for a moment before it sleeps: most sections are over sooner than a thread wakes up.
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    for (int round = 0; round < kRoundsBeforeSleep; ++round) {
      if (mutex_.try_lock()) return;
      Pause();
    }
    mutex_.lock();
  }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class Condition;
  static constexpr int kRoundsBeforeSleep = 50;

  std::mutex mutex_;
};

// Holds a mutex for the length of a scope.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(*mutex) {
    mutex_.Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Lets a thread wait until another has changed what a mutex guards. Thread-safe.
class Condition {
 public:
  void NotifyAll() { changed_.notify_all(); }

  // Releases the mutex while it waits. May return without a reason.
  void Wait(Mutex* mutex) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock lock(mutex->mutex_, std::adopt_lock);
    changed_.wait(lock);
    lock.release();
  }
  // Likewise, until that time at most; false when it is over.
  bool WaitUntil(Mutex* mutex, std::chrono::steady_clock::time_point end)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock lock(mutex->mutex_, std::adopt_lock);
    const std::cv_status status = changed_.wait_until(lock, end);
    lock.release();
    return status == std::cv_status::no_timeout;
  }

 private:
  std::condition_variable changed_;
};

}  // namespace ferrite
