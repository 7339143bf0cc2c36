#include "server/admission/pushback.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

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

void AddPushback(std::chrono::nanoseconds delay, grpc::ServerContext* context) {
  thread_local std::minstd_rand generator(std::random_device{}());
  const double chance = std::uniform_real_distribution<double>(0, 1)(generator);
  context->AddTrailingMetadata("grpc-retry-pushback-ms",
                               std::to_string(PushbackOf(delay, chance).count()));
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
