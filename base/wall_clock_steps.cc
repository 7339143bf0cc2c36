#include "base/wall_clock_steps.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "base/clock.h"

namespace ferrite {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

// Times for which there is no number are as good as never.
int64_t Difference(int64_t a, int64_t b) {
  int64_t difference;
  return __builtin_sub_overflow(a, b, &difference) ? INT64_MAX : difference;
}

}  // namespace

WallClockSteps::Reading WallClockSteps::ReadClocks() {
  const int64_t before_ns = SteadyNs();
  timespec wall;
  clock_gettime(CLOCK_REALTIME, &wall);
  const int64_t after_ns = SteadyNs();
  return {wall.tv_sec * kNsPerSecond + wall.tv_nsec, after_ns, after_ns - before_ns};
}

int64_t WallClockSteps::SteadyNsAt(int64_t wall_ns, const Reading& now) {
  const int64_t ahead_ns = now.wall_ns - now.steady_ns;
  const int64_t last_ns = ahead_ns_.load();
  // What may be the time between the readings is no step: it would make the last one forgotten.
  if (std::abs(ahead_ns - last_ns) > kStepNs + now.between_ns) {
    before_ns_.store(last_ns);
    set_at_ns_.store(now.steady_ns);
    ahead_ns_.store(ahead_ns);
  }
  const int64_t end_ns = Difference(wall_ns, ahead_ns);
  if (now.steady_ns - set_at_ns_.load() > kWhileNs) return end_ns;
  return std::min(end_ns,
                  std::max(Difference(wall_ns, before_ns_.load()), now.steady_ns + kShortNs));
}

}  // namespace ferrite
