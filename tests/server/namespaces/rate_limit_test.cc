#include "server/namespaces/rate_limit.h"

#include <gtest/gtest.h>

namespace ferrite {
namespace {

using Clock = RateLimit::Clock;
using std::chrono::milliseconds;

constexpr Clock::time_point kStart = Clock::time_point(std::chrono::hours(1));

// How many operations are done that come one by one, each at its time.
int Done(RateLimit* limit, int operations, Clock::duration apart, Clock::time_point* now) {
  int done = 0;
  for (int i = 0; i < operations; ++i, *now += apart) {
    if (limit->Wait(*now) > Clock::duration::zero()) continue;
    limit->Charge(1, *now);
    ++done;
  }
  return done;
}

TEST(RateLimit, LetsEverythingThroughWithoutALimit) {
  RateLimit limit;
  Clock::time_point now = kStart;
  EXPECT_EQ(Done(&limit, 1000, Clock::duration::zero(), &now), 1000);
}

TEST(RateLimit, HoldsTheRateOverTime) {
  RateLimit limit;
  limit.Set(1000);
  Clock::time_point now = kStart;
  const int done = Done(&limit, 100'000, std::chrono::microseconds(100), &now);  // 10 s
  EXPECT_GE(done, 10'000);
  EXPECT_LE(done, 10'000 + 101);  // what may come at once
}

TEST(RateLimit, AFewMayComeAtOnceHoweverLowTheRate) {
  RateLimit limit;
  limit.Set(1);
  Clock::time_point now = kStart;
  EXPECT_EQ(Done(&limit, 100, Clock::duration::zero(), &now), RateLimit::kLeastBurst);
}

TEST(RateLimit, WhoTakesManyAtOnceWaitsAfterwards) {
  RateLimit limit;
  limit.Set(100);
  limit.Charge(1000, kStart);
  EXPECT_EQ(limit.Wait(kStart), milliseconds(9900));
  EXPECT_EQ(limit.Wait(kStart + milliseconds(9899)), milliseconds(1));
  EXPECT_EQ(limit.Wait(kStart + milliseconds(9900)), Clock::duration::zero());
}

TEST(RateLimit, MayChange) {
  RateLimit limit;
  limit.Set(1);
  limit.Charge(1000, kStart);
  EXPECT_GT(limit.Wait(kStart), Clock::duration::zero());
  limit.Set(0);
  EXPECT_EQ(limit.Wait(kStart), Clock::duration::zero());
}

}  // namespace
}  // namespace ferrite
