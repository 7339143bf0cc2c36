// The forecast of a wait, with a clock that the test sets.

#include "client/pipeline/wait_forecast.h"

#include <gtest/gtest.h>

namespace ferrite {
namespace {

using std::chrono::milliseconds;

class WaitForecastTest : public testing::Test {
 protected:
  static WaitForecast::Clock::time_point At(int ms) {
    return WaitForecast::Clock::time_point(milliseconds(10'000 + ms));
  }
  WaitForecastTest() { forecast_.Emptied(At(0)); }

  WaitForecast forecast_;
};

TEST_F(WaitForecastTest, GoesByTheRateOfAnswers) {
  forecast_.Answered(600);
  forecast_.Answered(400);
  EXPECT_EQ(forecast_.Wait(5000, At(100)), milliseconds(500));
  EXPECT_EQ(forecast_.Wait(5000, At(200)), milliseconds(1000));
}

TEST_F(WaitForecastTest, TheRoomIsWhatIsAnsweredInThatTime) {
  EXPECT_GT(forecast_.Room(milliseconds(1), At(100)), size_t{1} << 40);  // nothing is known
  forecast_.Answered(1000);
  EXPECT_GT(forecast_.Room(milliseconds(1), At(19)), size_t{1} << 40);
  EXPECT_EQ(forecast_.Room(milliseconds(50), At(100)), 500u);
}

TEST_F(WaitForecastTest, ABurstIsNoBacklog) {
  forecast_.Answered(1);
  EXPECT_EQ(forecast_.Wait(5000, At(19)), milliseconds(0));
  EXPECT_GT(forecast_.Wait(5000, At(20)), milliseconds(0));
}

TEST_F(WaitForecastTest, WithoutAnAnswerNothingIsKnown) {
  EXPECT_EQ(forecast_.Wait(5000, At(900)), milliseconds(0));
}

TEST_F(WaitForecastTest, AnEmptyQueueStartsItAnew) {
  forecast_.Answered(1);
  forecast_.Emptied(At(500));
  forecast_.Answered(1000);
  EXPECT_EQ(forecast_.Wait(1000, At(600)), milliseconds(100));
}

TEST_F(WaitForecastTest, TheNearestPastCounts) {
  forecast_.Answered(100);
  EXPECT_EQ(forecast_.Wait(100, At(1000)), milliseconds(1000));
  EXPECT_EQ(forecast_.Wait(100, At(1200)), milliseconds(1200));  // half of each
  forecast_.Answered(950);
  EXPECT_EQ(forecast_.Wait(1000, At(1600)), milliseconds(1000));  // since 600
}

}  // namespace
}  // namespace ferrite
