#pragma once

// The lock of keys, and of TBB's buckets and nodes. TBB's own lets readers share, which costs a
// locked instruction to lock and another to unlock. As most reads here take no lock at all, this
// one is exclusive: one locked instruction to lock, a plain store to unlock. Hold it for moments
// only.

#include <algorithm>
#include <atomic>
#include <chrono>
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
      if (round >= kRoundsBeforeYield) {
        WaitLonger(round - kRoundsBeforeYield);
      } else {
        Pause();
      }
    }
  }
  void Unlock() { state_.store(0, std::memory_order_release); }

  // Holds the lock for the length of a scope, in the shape that TBB asks for. Whoever asks for
  // shared access gets it exclusively.
  class scoped_lock {  // NOLINT(readability-identifier-naming): TBB asks for this name
   public:
    scoped_lock() = default;
    explicit scoped_lock(SpinMutex& mutex, bool write = true) { acquire(mutex, write); }
    ~scoped_lock() {
      if (mutex_ != nullptr) release();
    }
    scoped_lock(const scoped_lock&) = delete;
    scoped_lock& operator=(const scoped_lock&) = delete;

    void acquire(SpinMutex& mutex, bool /*write*/ = true) {
      mutex.Lock();
      mutex_ = &mutex;
    }
    bool try_acquire(SpinMutex& mutex, bool /*write*/ = true) {
      if (!mutex.TryLock()) return false;
      mutex_ = &mutex;
      return true;
    }
    void release() {
      mutex_->Unlock();
      mutex_ = nullptr;
    }
    bool upgrade_to_writer() { return true; }
    bool downgrade_to_reader() { return true; }
    bool is_writer() const { return true; }

   private:
    SpinMutex* mutex_ = nullptr;
  };

 private:
  static void Pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

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

}  // namespace ferrite
