#include "base/wall_clock_steps.h"

#include <gtest/gtest.h>

namespace ferrite {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1'000 * kMs;
constexpr int64_t kDay = 86'400 * kSecond;

// Two clocks that stand still until told to move.
class WallClockStepsTest : public testing::Test {
 protected:
  WallClockStepsTest() {
    At(wall_ns_);
    Advance(10 * kSecond);  // what was seen first is no step of late
  }

  void Advance(int64_t ns) {
    wall_ns_ += ns;
    steady_ns_ += ns;
  }
  // How long it is until then.
  int64_t At(int64_t wall_ns, int64_t between_ns = 0) {
    const int64_t steady_ns = steady_ns_ + between_ns;
    return steps_.SteadyNsAt(wall_ns, {wall_ns_, steady_ns, between_ns}) - steady_ns;
  }

  WallClockSteps steps_;
  int64_t wall_ns_ = 1'700'000'000 * kSecond;
  int64_t steady_ns_ = 1'000 * kSecond;
};

TEST_F(WallClockStepsTest, WhileNobodySetsTheClockTimesAreWhatTheySay) {
  EXPECT_EQ(At(wall_ns_ + 5 * kSecond), 5 * kSecond);
  EXPECT_EQ(At(wall_ns_ - 5 * kSecond), -5 * kSecond);
  Advance(kDay);
  EXPECT_EQ(At(wall_ns_ + 1), 1);
  EXPECT_GT(At(INT64_MAX), 100 * 365 * kDay);
}

TEST_F(WallClockStepsTest, ATimeThatWasMadeBeforeAStepBackEndsAsItWouldHave) {
  const int64_t end_ns = wall_ns_ + 20 * kMs;
  wall_ns_ -= kDay;
  EXPECT_EQ(At(end_ns), 20 * kMs);
  EXPECT_EQ(At(wall_ns_ + 5 * kMs), 5 * kMs) << "one that was made after it";
  Advance(2 * kSecond);
  EXPECT_EQ(At(wall_ns_ + 5 * kMs), 5 * kMs);
}

TEST_F(WallClockStepsTest, ATimeThatWasMadeBeforeAStepForwardIsOver) {
  const int64_t end_ns = wall_ns_ + 20 * kMs;
  wall_ns_ += kDay;
  EXPECT_EQ(At(end_ns), 20 * kMs - kDay);
}

// Or times from before the last step would be believed to be of after it.
TEST_F(WallClockStepsTest, AThreadThatIsAwayBetweenTwoReadingsSeesNoStep) {
  const int64_t end_ns = wall_ns_ + 500 * kMs;
  wall_ns_ -= kDay;
  EXPECT_EQ(At(end_ns), 500 * kMs);
  At(wall_ns_ + kSecond, /*between_ns=*/200 * kMs);
  EXPECT_EQ(At(end_ns), 500 * kMs);
}

TEST_F(WallClockStepsTest, ASmallDriftIsNoStep) {
  const int64_t end_ns = wall_ns_ + 500 * kMs;
  wall_ns_ -= kDay;
  EXPECT_EQ(At(end_ns), 500 * kMs);
  wall_ns_ -= WallClockSteps::kStepNs;
  EXPECT_EQ(At(wall_ns_ + 5 * kMs), 5 * kMs);
  EXPECT_EQ(At(end_ns), 500 * kMs) << "it is still known that the clock was set";
}

TEST_F(WallClockStepsTest, SmallDriftsAddUp) {
  for (int i = 0; i < 100; ++i) {
    wall_ns_ -= 2 * kMs;
    Advance(10 * kMs);
    EXPECT_EQ(At(wall_ns_ + 7 * kMs), 7 * kMs);
  }
}

TEST_F(WallClockStepsTest, TheClocksAreReadTogether) {
  const WallClockSteps::Reading first = WallClockSteps::ReadClocks();
  const WallClockSteps::Reading second = WallClockSteps::ReadClocks();
  EXPECT_GE(first.between_ns, 0);
  EXPECT_GE(second.steady_ns - second.between_ns, first.steady_ns);
  EXPECT_GT(first.wall_ns, 1'700'000'000 * kSecond);
}

}  // namespace
}  // namespace ferrite
