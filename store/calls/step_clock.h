#pragma once

#include <chrono>

namespace ferrite {

// Ends a step of a long task early where its work takes longer than usual. The bound on the work is
// what counts; the clock only makes steps shorter.
class StepClock {
 public:
  bool IsOver() const { return Steady::now() - start_ > kStep; }

 private:
  using Steady = std::chrono::steady_clock;
  // The part of the work that is under way when it is over comes on top.
  static constexpr std::chrono::microseconds kStep{120};
  const Steady::time_point start_ = Steady::now();
};

}  // namespace ferrite
