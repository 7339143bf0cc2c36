#include "client/silence.h"

#include <gtest/gtest.h>

namespace ferrite {
namespace {

using std::chrono::milliseconds;

class SilenceTest : public testing::Test {
 protected:
  // A call that takes so long has no answer.
  bool Miss(milliseconds time) {
    const auto since = now_;
    now_ += time;
    return silence_.NoteUnanswered(since, now_);
  }

  Silence silence_;
  Silence::Clock::time_point now_{std::chrono::hours(1000)};
};

TEST_F(SilenceTest, OneCallThatWaitedForLongShowsIt) { EXPECT_TRUE(Miss(milliseconds(250))); }

TEST_F(SilenceTest, ShortCallsShowItTogether) {
  EXPECT_FALSE(Miss(milliseconds(100)));
  EXPECT_FALSE(Miss(milliseconds(100)));
  EXPECT_TRUE(Miss(milliseconds(100)));
}

TEST_F(SilenceTest, AnyAnswerBreaksIt) {
  EXPECT_FALSE(Miss(milliseconds(200)));
  silence_.NoteAnswer(now_);
  EXPECT_FALSE(Miss(milliseconds(100)));
  // Others were answered while it waited.
  const auto since = now_;
  now_ += std::chrono::seconds(10);
  silence_.NoteAnswer(now_ - milliseconds(100));
  EXPECT_FALSE(silence_.NoteUnanswered(since, now_));
  EXPECT_TRUE(Miss(milliseconds(150)));
}

}  // namespace
}  // namespace ferrite
