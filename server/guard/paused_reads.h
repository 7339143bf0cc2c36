#pragma once

// Connections that wait for the next turn (read_turn.h), and when that comes.
//
// A turn ends when all calls that have come have begun, so that the streams of one turn are dealt
// with before those of the next come. That is not always noticed: when what was read brings no
// call. So a turn lasts only so long while somebody waits for the next.

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
  ~PausedReads();
  PausedReads(const PausedReads&) = delete;
  PausedReads& operator=(const PausedReads&) = delete;

  // The number of the turn at hand.
  uint64_t turn() const { return turn_.load(std::memory_order_relaxed); }
  // Ends it. Takes no lock if nobody waits.
  void EndTurn();
  // The connection may read nothing more in that turn.
  void Pause(int descriptor, uint64_t turn);

 private:
  // Ends turns that last for too long.
  void Run();
  void WakeAll();

  const std::function<void(int descriptor)> wake_;
  std::atomic<uint64_t> turn_{1};
  std::atomic<bool> any_{false};
  Mutex mutex_;
  Condition changed_;
  std::vector<int> paused_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Started when it is needed: most servers never do.
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
