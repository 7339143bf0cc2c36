// That the clock can be set at all, and what Abseil's waits make of it.

#include <gtest/gtest.h>
#include <pthread.h>

#include <ctime>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/steady_waits.h"
#include "tests/wall_clock/stepped_clock.h"

namespace ferrite {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kDayNs = 86'400 * kSecondNs;

class WaitsTest : public testing::Test {
 protected:
  ~WaitsTest() override {
    SetWallClockAhead(0);
    (void)WaitsAreSteady();  // waits, and so sees that
  }
};

TEST_F(WaitsTest, TheClockIsSetAndOtherWaitsDependOnIt) {
  const absl::Time before = absl::Now();
  const absl::Time over = before + absl::Seconds(1);
  const timespec end = absl::ToTimespec(over);
  SetWallClockAhead(-kDayNs);
  EXPECT_LT(absl::Now(), before - absl::Hours(23));
  SetWallClockAhead(-kSecondNs);
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t never = PTHREAD_COND_INITIALIZER;
  pthread_mutex_lock(&mutex);
  while (pthread_cond_timedwait(&never, &mutex, &end) == 0) {
  }
  pthread_mutex_unlock(&mutex);
  EXPECT_GE(absl::Now(), over) << "the wait heeds the clock";
}

TEST_F(WaitsTest, AbseilWaitsAreSteady) { EXPECT_TRUE(WaitsAreSteady()); }

// However soon after the wait began.
TEST_F(WaitsTest, AWaitThatHasBegunEndsThoughTheClockIsSetBack) {
  for (int round = 0; round < 20; ++round) {
    absl::Mutex mutex;
    absl::CondVar never;
    bool waits = false;
    std::thread waiter([&] {
      absl::MutexLock lock(&mutex);
      waits = true;
      never.WaitWithTimeout(&mutex, absl::Milliseconds(20));
    });
    // The mutex is free when nobody waits yet, or somebody does.
    mutex.LockWhen(absl::Condition(&waits));
    SetWallClockAhead(-kDayNs * (round + 1));
    mutex.Unlock();
    waiter.join();
  }
}

// The first wait of this program.
TEST_F(WaitsTest, AWaitEndsThoughTheClockIsSetBackJustBeforeIt) {
  absl::Mutex mutex;
  absl::CondVar never;
  absl::MutexLock lock(&mutex);
  const absl::Time end = absl::Now() + absl::Milliseconds(20);
  SetWallClockAhead(-kDayNs);
  EXPECT_TRUE(never.WaitWithDeadline(&mutex, end)) << "it is over";
}

TEST_F(WaitsTest, AWaitEndsThoughTheClockIsSetForward) {
  absl::Mutex mutex;
  absl::CondVar never;
  absl::MutexLock lock(&mutex);
  SetWallClockAhead(kDayNs);
  EXPECT_TRUE(never.WaitWithTimeout(&mutex, absl::Milliseconds(30))) << "it is over";
}

// Many threads that wake each other lose no wake-up.
TEST_F(WaitsTest, ThreadsAreWokenAsBefore) {
  absl::Mutex mutex;
  absl::CondVar changed;
  constexpr int kThreads = 4;
  constexpr int kTurns = 2'000;
  int turn = 0;
  std::vector<std::thread> threads;
  for (int number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      for (int i = 0; i < kTurns; ++i) {
        absl::MutexLock lock(&mutex);
        while (turn % kThreads != number) changed.Wait(&mutex);
        ++turn;
        changed.SignalAll();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(turn, kThreads * kTurns);
}

}  // namespace
}  // namespace ferrite
