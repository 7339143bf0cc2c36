// Where the time of a call went: the wait for its thread, and how it is told.

#include <gtest/gtest.h>

#include "server/engine/queue_wait.h"
#include "server/engine/server_timing.h"

namespace ferrite {
namespace {

TEST(QueueWait, CallsOfOneReadWaitForEachOther) {
  QueueWait wait;
  int64_t ends[3];
  for (int call = 0; call < 3; ++call) {
    EXPECT_EQ(wait.bound_ns(), call * 10);
    wait.Worked(10);
    ends[call] = wait.mark();
  }
  for (const int64_t end : ends) wait.Passed(end);
  EXPECT_EQ(wait.bound_ns(), 0) << "the thread has nothing to do: whatever comes is taken at once";
}

TEST(QueueWait, AllOfALongCallCountsForWhatCameDuringIt) {
  QueueWait wait;
  wait.Worked(10);
  const int64_t short_end = wait.mark();
  wait.Passed(short_end);
  wait.Worked(1000);
  const int64_t long_end = wait.mark();
  EXPECT_EQ(wait.bound_ns(), 1000) << "came during the long call";
  wait.Worked(5);
  wait.Passed(long_end);
  EXPECT_EQ(wait.bound_ns(), 5) << "came after it";
}

TEST(QueueWait, AnOldOperationThatEndsLateTakesNothingBack) {
  QueueWait wait;
  wait.Worked(10);
  const int64_t early = wait.mark();
  wait.Worked(10);
  wait.Passed(wait.mark());
  wait.Passed(early);
  EXPECT_EQ(wait.bound_ns(), 0);
}

TEST(ServerTiming, IsInMilliseconds) {
  EXPECT_EQ(ServerTiming({.queue_ns = 12'345, .execute_ns = 2'034'000'000}),
            "queue;dur=0.012, execute;dur=2034.000");
  EXPECT_EQ(ServerTiming({}), "queue;dur=0.000, execute;dur=0.000");
}

}  // namespace
}  // namespace ferrite
