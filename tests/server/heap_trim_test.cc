// When the allocator is asked to give back what was freed.

#include "server/heap_trim.h"

#include <gtest/gtest.h>

#include <chrono>

namespace ferrite {
namespace {

using std::chrono::seconds;

constexpr int64_t kMiB = 1 << 20;
const TrimSchedule::Time kStart{seconds(1'000)};

TEST(TrimScheduleTest, IsAskedAtFirstAndThenWhenThereIsMore) {
  TrimSchedule schedule;
  EXPECT_TRUE(schedule.IsDue(kStart, 30 * kMiB));
  schedule.Asked(kStart, 30 * kMiB, 28 * kMiB);
  EXPECT_FALSE(schedule.IsDue(kStart + seconds(5), 30 * kMiB));
  EXPECT_FALSE(schedule.IsDue(kStart + seconds(5), 32 * kMiB));
  EXPECT_TRUE(schedule.IsDue(kStart + seconds(5), 33 * kMiB));
}

TEST(TrimScheduleTest, IsAskedAgainAsLongAsItGivesSomethingBack) {
  TrimSchedule schedule;
  schedule.Asked(kStart, 30 * kMiB, 28 * kMiB);
  schedule.Asked(kStart + seconds(5), 800 * kMiB, 600 * kMiB);
  EXPECT_FALSE(schedule.IsDue(kStart + seconds(5), 600 * kMiB));
  EXPECT_TRUE(schedule.IsDue(kStart + seconds(6), 600 * kMiB));
}

TEST(TrimScheduleTest, IsAskedLessOftenWhereItGivesNothing) {
  TrimSchedule schedule;
  auto now = kStart;
  schedule.Asked(now, 30 * kMiB, 28 * kMiB);
  int asked = 0;
  for (int second = 1; second <= 80; ++second) {
    now += seconds(1);
    if (!schedule.IsDue(now, 100 * kMiB)) continue;
    schedule.Asked(now, 100 * kMiB, 100 * kMiB);
    ++asked;
  }
  EXPECT_GE(asked, 10);
  EXPECT_LE(asked, 13);
}

TEST(HeapTrimTest, TheSystemTellsWhatIsResident) {
  EXPECT_GT(ResidentBytes(), kMiB);
  HeapTrim().Run(0);
}

}  // namespace
}  // namespace ferrite
