#pragma once

// Turns times of the wall clock into times of the steady one, while somebody sets the wall clock.

#include <atomic>
#include <cstdint>

namespace ferrite {

// Thread-safe.
class WallClockSteps {
 public:
  // Both clocks at about the same moment, in nanoseconds. They are read one after the other, and
  // the thread may be away in between.
  struct Reading {
    int64_t wall_ns = 0;
    int64_t steady_ns = 0;   // read after it
    int64_t between_ns = 0;  // how much later than the wall clock it was read at most
  };
  static Reading ReadClocks();

  // When the steady clock shows what the wall clock calls `wall_ns`. That was made a moment ago,
  // perhaps before the clock was set: for a while after that, the result may be earlier.
  int64_t SteadyNsAt(int64_t wall_ns, const Reading& now);

  // By so much the clock must have been set for a step: by less, a wait that has begun may be too
  // long. Nothing else moves the clocks apart, as the kernel slews both alike.
  static constexpr int64_t kStepNs = 50'000'000;
  // Times that were made before a step are believed to have come by then.
  static constexpr int64_t kWhileNs = 1'000'000'000;
  // Time that a wait has at least where it is not sure.
  static constexpr int64_t kShortNs = 10'000'000;

 private:
  // By how much the wall clock is ahead of the steady clock, and was before it was set.
  std::atomic<int64_t> ahead_ns_{0};
  std::atomic<int64_t> before_ns_{0};
  std::atomic<int64_t> set_at_ns_{INT64_MIN / 2};
};

}  // namespace ferrite
