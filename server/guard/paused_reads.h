#pragma once

// Connections that wait for the next turn (read_turn.h), and when that comes.
//
// A turn ends when all calls that have come have begun, so that the streams of one turn are dealt
// with before those of the next come. Threads that always have something to do do not notice; then
// it ends when as many calls were taken up as streams had begun in it. And where what was read
// brings no calls, it ends after a while.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace ferrite {

// Thread-safe.
class PausedReads {
 public:
  // `wake` is called for each connection that waited, when the next turn begins.
  explicit PausedReads(std::function<void(int descriptor)> wake) : wake_(std::move(wake)) {}
  ~PausedReads() { Stop(); }
  PausedReads(const PausedReads&) = delete;
  PausedReads& operator=(const PausedReads&) = delete;

  // Has turns end in time. `taken_up` tells how many calls were taken up so far, on any thread.
  // Throws if there can be no more threads.
  void Start(std::function<uint64_t()> taken_up);
  // From now on they need not.
  void Stop();
  // The number of the turn at hand.
  uint64_t turn() const { return turn_.load(std::memory_order_relaxed); }
  // Ends it. Takes no lock if nobody waits.
  void EndTurn();
  // So many streams were begun in the turn at hand, of all connections together.
  void AddStreams(int64_t streams) { streams_.fetch_add(streams, std::memory_order_relaxed); }
  int64_t streams() const { return streams_.load(std::memory_order_relaxed); }
  // The connection may read nothing more in that turn.
  void Pause(int descriptor, uint64_t turn);

 private:
  // Ends turns that last for too long.
  void Run();
  void WakeAll();

  const std::function<void(int descriptor)> wake_;
  std::atomic<uint64_t> turn_{1};
  std::atomic<int64_t> streams_{0};
  std::atomic<bool> any_{false};
  Mutex mutex_;
  Condition changed_;
  std::vector<int> paused_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<uint64_t()> taken_up_;
  std::thread thread_;
};

}  // namespace ferrite
