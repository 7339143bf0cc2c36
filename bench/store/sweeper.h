#pragma once

// The thread that takes back expired entries, as server/housekeeper.cc has it.

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "bench/store/timed_calls.h"
#include "store/store.h"

namespace ferrite::bench {

// Runs from construction to destruction.
class Sweeper {
 public:
  // The store must outlive it.
  explicit Sweeper(Store* store) : store_(*store), thread_([this] { Run(); }) {}
  ~Sweeper() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;

  // Waits until a round that begins from now on is over, and returns the CPU time that the thread
  // had used by then.
  uint64_t WaitForRound() {
    std::unique_lock lock(mutex_);
    // The round in progress, if there is one, may have begun before.
    const uint64_t wanted = rounds_begun_ + 1;
    changed_.wait(lock, [&] { return rounds_ended_ >= wanted; });
    return cpu_ns_;
  }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    do {
      ++rounds_begun_;
      lock.unlock();
      while (!store_.Sweep()) {
      }
      lock.lock();
      rounds_ended_ = rounds_begun_;
      cpu_ns_ = CpuNs();
      changed_.notify_all();
    } while (!changed_.wait_for(lock, std::chrono::milliseconds(100), [this] { return stop_; }));
  }

  Store& store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  uint64_t rounds_begun_ = 0;
  uint64_t rounds_ended_ = 0;
  uint64_t cpu_ns_ = 0;
  std::thread thread_;
};

}  // namespace ferrite::bench
