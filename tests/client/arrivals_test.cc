#include "client/cli/bench/arrivals.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ferrite::cli {
namespace {

using std::chrono::milliseconds;

TEST(Arrivals, ConstantOnesAreEquallyFarApart) {
  const Arrivals::Clock::time_point start;
  Arrivals arrivals(ArrivalKind::kConstant, 1000, /*seed=*/1, start);
  for (int i = 1; i <= 100'000; ++i) {
    ASSERT_EQ(arrivals.next(), start + milliseconds(i));
    arrivals.Advance();
  }
}

TEST(Arrivals, PoissonOnesAreIndependent) {
  const Arrivals::Clock::time_point start;
  Arrivals arrivals(ArrivalKind::kPoisson, 1000, /*seed=*/1, start);
  constexpr int kCount = 100'000;
  int below_mean = 0;
  auto last = start;
  for (int i = 0; i < kCount; ++i) {
    ASSERT_GE(arrivals.next(), last);
    below_mean += arrivals.next() - last < milliseconds(1);
    last = arrivals.next();
    arrivals.Advance();
  }
  EXPECT_NEAR(std::chrono::duration<double>(last - start).count(), kCount / 1000.0, 1);
  EXPECT_NEAR(below_mean, kCount * (1 - std::exp(-1)), kCount / 100.0);
}

TEST(Arrivals, SeedsDiffer) {
  const Arrivals::Clock::time_point start;
  EXPECT_NE(Arrivals(ArrivalKind::kPoisson, 1000, 1, start).next(),
            Arrivals(ArrivalKind::kPoisson, 1000, 2, start).next());
}

}  // namespace
}  // namespace ferrite::cli
