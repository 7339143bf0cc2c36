// What is sent to a node that refuses calls; the test sets the clock and the chances.

#include "client/acceptance.h"

#include <gtest/gtest.h>

namespace ferrite {
namespace {

using std::chrono::milliseconds;

class AcceptanceTest : public testing::Test {
 protected:
  static Acceptance::Clock::time_point At(int ms) {
    return Acceptance::Clock::time_point(milliseconds(10'000 + ms));
  }

  Acceptance acceptance_;
};

TEST_F(AcceptanceTest, WithoutARefusalEverythingIsSent) {
  for (int i = 0; i < 1000; ++i) acceptance_.Expired(At(1));
  EXPECT_TRUE(acceptance_.IsWorthSending(0.999, At(2)));
}

TEST_F(AcceptanceTest, IsSentHalfAsMuchAgainAsItAccepts) {
  for (int i = 0; i < 100; ++i) acceptance_.Accepted(At(1));
  for (int i = 0; i < 899; ++i) acceptance_.Refused(At(1));
  // (1.5 * 100 + 1) / (999 + 1)
  EXPECT_TRUE(acceptance_.IsWorthSending(0.150, At(2)));
  EXPECT_FALSE(acceptance_.IsWorthSending(0.152, At(2)));
}

TEST_F(AcceptanceTest, AFewRefusalsHoldNothingBack) {
  for (int i = 0; i < 100; ++i) acceptance_.Accepted(At(1));
  for (int i = 0; i < 40; ++i) acceptance_.Refused(At(1));
  EXPECT_TRUE(acceptance_.IsWorthSending(0.999, At(2)));
}

TEST_F(AcceptanceTest, WhatExpiresCountsWhileItRefuses) {
  acceptance_.Refused(At(1));
  for (int i = 0; i < 98; ++i) acceptance_.Expired(At(900));  // which also prolongs that
  EXPECT_FALSE(acceptance_.IsWorthSending(0.05, At(1500)));
}

TEST_F(AcceptanceTest, WhatIsHeldBackCountsAsWanted) {
  acceptance_.Refused(At(1));
  for (int i = 0; i < 98; ++i) EXPECT_FALSE(acceptance_.IsWorthSending(0.999, At(2)));
  EXPECT_FALSE(acceptance_.IsWorthSending(0.02, At(2)));
  EXPECT_TRUE(acceptance_.IsWorthSending(0.005, At(2)));  // something is always sent
}

TEST_F(AcceptanceTest, ForgetsWhatIsPast) {
  for (int i = 0; i < 1000; ++i) acceptance_.Refused(At(1));
  EXPECT_FALSE(acceptance_.IsWorthSending(0.5, At(600)));
  EXPECT_TRUE(acceptance_.IsWorthSending(0.5, At(1002)));
}

TEST_F(AcceptanceTest, RecoversWithinSeconds) {
  for (int i = 0; i < 900; ++i) acceptance_.Refused(At(0));
  for (int i = 0; i < 100; ++i) acceptance_.Accepted(At(0));
  int sent = 0;
  for (int ms = 1; ms < 4000; ++ms) {  // one call each, all of which would be accepted
    const bool goes = acceptance_.IsWorthSending(ms % 100 / 100.0, At(ms));
    if (goes) acceptance_.Accepted(At(ms));
    if (ms >= 3000) sent += goes;
  }
  EXPECT_EQ(sent, 1000);
}

}  // namespace
}  // namespace ferrite
