#pragma once

// An exclusive lock for a few dozen nanoseconds at a time: one locked instruction to lock, a plain
// store to unlock, half of what an ordinary mutex costs when nobody else wants it.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "base/pause.h"

namespace ferrite {

class ABSL_LOCKABLE SpinMutex {
 public:
  SpinMutex() = default;
  SpinMutex(const SpinMutex&) = delete;
  SpinMutex& operator=(const SpinMutex&) = delete;

  bool TryLock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return state_.load(std::memory_order_relaxed) == 0 &&
           state_.exchange(1, std::memory_order_acquire) == 0;
  }
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    for (uint32_t round = 0; !TryLock(); ++round) {
      if (round >= kRoundsBeforeYield) {
        WaitLonger(round - kRoundsBeforeYield);
      } else {
        Pause();
      }
    }
  }
  void Unlock() ABSL_UNLOCK_FUNCTION() { state_.store(0, std::memory_order_release); }

  // Holds the lock for the length of a scope, except where it is released in between. For the
  // store, whose locking is too dynamic for the analysis.
  class scoped_lock {  // NOLINT(readability-identifier-naming): as the standard library's
   public:
    explicit scoped_lock(SpinMutex& mutex) : mutex_(mutex) { acquire(); }
    ~scoped_lock() { release(); }
    scoped_lock(const scoped_lock&) = delete;
    scoped_lock& operator=(const scoped_lock&) = delete;

    void release() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); }
    void acquire() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }

   private:
    SpinMutex& mutex_;
  };

 private:
  // The holder has probably lost its core: let it have this one. The scheduler need not give it to
  // whom one yields it for, and a thread that only ever yields has been seen to do so for 139 ms:
  // so then sleep, for as long as a system call or two take, and longer if that was in vain.
  static void WaitLonger(uint32_t round) {
    if (round < kYieldsBeforeSleep) return std::this_thread::yield();
    const uint32_t doublings = std::min(round - kYieldsBeforeSleep, kMaxSleepDoublings);
    std::this_thread::sleep_for(std::chrono::microseconds(kFirstSleepUs << doublings));
  }

  static constexpr uint32_t kRoundsBeforeYield = 64;
  static constexpr uint32_t kYieldsBeforeSleep = 16;
  static constexpr uint32_t kFirstSleepUs = 10;
  static constexpr uint32_t kMaxSleepDoublings = 4;
  std::atomic<uint32_t> state_{0};
};

// Holds a SpinMutex for the length of a scope.
class ABSL_SCOPED_LOCKABLE SpinLock {
 public:
  explicit SpinLock(SpinMutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(*mutex) {
    mutex_.Lock();
  }
  ~SpinLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

 private:
  SpinMutex& mutex_;
};

}  // namespace ferrite
