#include "server/admission/pushback.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace ferrite {
namespace {

// Below this a client is back before anything has changed; above it, it misses that it has.
constexpr std::chrono::nanoseconds kShortest = std::chrono::milliseconds(10);
constexpr std::chrono::nanoseconds kLongest = std::chrono::seconds(1);

}  // namespace

std::chrono::milliseconds PushbackOf(std::chrono::nanoseconds delay, double chance) {
  const auto bounded = std::clamp(delay, kShortest, kLongest);
  return std::chrono::milliseconds(
      std::llround(static_cast<double>(bounded.count()) / 1e6 * (0.5 + chance)));
}

std::chrono::milliseconds RandomPushback(std::chrono::nanoseconds delay) {
  thread_local std::minstd_rand generator(std::random_device{}());
  return PushbackOf(delay, std::uniform_real_distribution<double>(0, 1)(generator));
}

Shortage::Clock::duration Shortage::Met(Clock::time_point now) {
  const Clock::duration at = now.time_since_epoch();
  if (at - last_met_.load(std::memory_order_relaxed) > kLull) {
    since_.store(at, std::memory_order_relaxed);
  }
  last_met_.store(at, std::memory_order_relaxed);
  return std::max(at - since_.load(std::memory_order_relaxed), Clock::duration::zero());
}

}  // namespace ferrite
