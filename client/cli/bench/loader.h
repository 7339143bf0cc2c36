#pragma once

// Loads the server from one thread, by whatever kind of calls.

#include <atomic>
#include <chrono>

#include "client/cli/bench/tally.h"

namespace ferrite::cli {

// What a run tells its loaders.
struct RunState {
  // Calls that start and end while this is set appear in the result.
  std::atomic<bool> counting{false};
  // No call starts once this is set.
  std::atomic<bool> stopping{false};
};

// How long calls in flight may take at the end of a run before they are cancelled.
inline constexpr auto kEndGrace = std::chrono::seconds(1);

// Thread-safe.
class Loader {
 public:
  using Clock = std::chrono::steady_clock;

  Loader() = default;
  virtual ~Loader() = default;
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  const Tallies& tallies() const { return tallies_; }
  // Whether the quota is used up and all its calls have ended, or the loader has stopped.
  bool finished() const { return finished_; }
  // When the last counted call ended.
  Clock::time_point last_end() const { return last_end_; }

 protected:
  // For the one thread that makes the calls.
  void NoteEnd(Clock::time_point now) { last_end_.store(now, std::memory_order_relaxed); }
  void Finish() { finished_ = true; }

  Tallies tallies_;

 private:
  std::atomic<Clock::time_point> last_end_{Clock::time_point()};
  std::atomic<bool> finished_{false};
};

}  // namespace ferrite::cli
