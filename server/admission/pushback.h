#pragma once

// When a refused client is to come again.

#include <atomic>
#include <chrono>
#include <cstdint>

namespace ferrite {

// `delay` within bounds that make sense, and of that between half and one and a half, so that
// clients that were refused together do not come back together. `chance` is uniform in [0, 1).
std::chrono::milliseconds PushbackOf(std::chrono::nanoseconds delay, double chance);

// The same, with a chance that is drawn here. Thread-safe.
std::chrono::milliseconds RandomPushback(std::chrono::nanoseconds delay);

// How long a shortage has lasted. It is what to wait for its end if nothing else is known: one that
// has lasted for long will not be over in a moment. Thread-safe.
class Shortage {
 public:
  using Clock = std::chrono::steady_clock;

  // Somebody was refused for it just now.
  Clock::duration Met(Clock::time_point now);

 private:
  // Over when nobody has met it for this long.
  static constexpr Clock::duration kLull = std::chrono::milliseconds(200);

  // Since the clock's epoch. Threads that write them at once differ by less than anybody cares.
  std::atomic<Clock::duration> since_{Clock::duration::min() / 2};
  std::atomic<Clock::duration> last_met_{Clock::duration::min() / 2};
};

}  // namespace ferrite
