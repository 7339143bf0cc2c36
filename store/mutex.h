#pragma once

// A mutex that clang's thread-safety analysis understands and that the thread sanitizer sees:
// Abseil's own lies in a system library that is not instrumented, so that every section it guards
// would look like a race.

#include <mutex>

#include "absl/base/thread_annotations.h"
#include "store/pause.h"

namespace ferrite {

class ABSL_LOCKABLE Mutex {
 public:
  // Tries for a moment before it sleeps: what the store does under a mutex is over sooner than a
  // thread wakes up.
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    for (int round = 0; round < kRoundsBeforeSleep; ++round) {
      if (mutex_.try_lock()) return;
      Pause();
    }
    mutex_.lock();
  }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
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

}  // namespace ferrite
