#pragma once

// The lock of keys: exclusive, as most reads take no lock at all. One locked instruction to lock, a
// plain store to unlock. Hold it for moments only.

#include <atomic>
#include <cstdint>
#include <thread>

namespace ferrite {

class SpinMutex {
 public:
  SpinMutex() = default;
  SpinMutex(const SpinMutex&) = delete;
  SpinMutex& operator=(const SpinMutex&) = delete;

  bool TryLock() {
    return state_.load(std::memory_order_relaxed) == 0 &&
           state_.exchange(1, std::memory_order_acquire) == 0;
  }
  void Lock() {
    for (uint32_t round = 0; !TryLock(); ++round) {
      // The holder may have lost its core: let it have this one.
      if (round >= kRoundsBeforeYield) std::this_thread::yield();
      Pause();
    }
  }
  void Unlock() { state_.store(0, std::memory_order_release); }

  // Holds the lock for the length of a scope, but for where it lets go in between.
  class scoped_lock {  // NOLINT(readability-identifier-naming): as the standard library's
   public:
    explicit scoped_lock(SpinMutex& mutex) : mutex_(mutex) { acquire(); }
    ~scoped_lock() { release(); }
    scoped_lock(const scoped_lock&) = delete;
    scoped_lock& operator=(const scoped_lock&) = delete;

    void release() { mutex_.Unlock(); }
    void acquire() { mutex_.Lock(); }

   private:
    SpinMutex& mutex_;
  };

 private:
  static void Pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  static constexpr uint32_t kRoundsBeforeYield = 64;
  std::atomic<uint32_t> state_{0};
};

}  // namespace ferrite
