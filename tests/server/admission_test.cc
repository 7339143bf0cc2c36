// What decides whether a call is executed, on its own: no server, and time as an argument.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "server/admission/gate.h"
#include "server/call/status.h"

namespace ferrite {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(InflightBudget, AdmitsUntilOperationsAreUsedUp) {
  InflightBudget budget({.operations = 2, .bytes = 1000});
  EXPECT_EQ(budget.Take(1, 10), Admission::kAdmitted);
  EXPECT_EQ(budget.Take(5, 10), Admission::kAdmitted);  // the last one may go beyond
  EXPECT_EQ(budget.Take(1, 10), Admission::kNoOperations);
  EXPECT_EQ(budget.operations(), 6u);
  EXPECT_EQ(budget.bytes(), 20u);
  budget.GiveBack(5, 10);
  EXPECT_EQ(budget.Take(1, 10), Admission::kAdmitted);
}

TEST(InflightBudget, AdmitsUntilBytesAreUsedUp) {
  InflightBudget budget({.operations = 100, .bytes = 1000});
  EXPECT_EQ(budget.Take(1, 900), Admission::kAdmitted);
  budget.Exchange(0, 500);  // the reply
  EXPECT_EQ(budget.Take(1, 1), Admission::kNoBytes);
  EXPECT_EQ(budget.bytes(), 1400u);
  budget.Exchange(500, 100);
  EXPECT_EQ(budget.operations(), 1u);
  EXPECT_EQ(budget.bytes(), 1000u);
  budget.Exchange(100, 500);
  budget.GiveBack(1, 1400);
  EXPECT_EQ(budget.Take(1, 1), Admission::kAdmitted);
}

TEST(InflightBudget, KeepsCountAtItsGreatest) {
  InflightBudget budget(
      {.operations = InflightBudget::kMaxOperations, .bytes = InflightBudget::kMaxBytes});
  EXPECT_EQ(budget.Take(InflightBudget::kMaxOperations - 1, InflightBudget::kMaxBytes - 1),
            Admission::kAdmitted);
  EXPECT_EQ(budget.Take(1024, 64 << 20), Admission::kAdmitted);
  EXPECT_EQ(budget.operations(), InflightBudget::kMaxOperations + 1023);
  EXPECT_EQ(budget.bytes(), InflightBudget::kMaxBytes - 1 + (64 << 20));
}

TEST(InflightBudget, ManyThreadsNeverShareTheLastOperation) {
  InflightBudget budget({.operations = 3, .bytes = 1 << 20});
  std::atomic<int> inside = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 10'000; ++turn) {
        if (budget.Take(1, 1) != Admission::kAdmitted) continue;
        EXPECT_LE(++inside, 3);
        --inside;
        budget.GiveBack(1, 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.operations(), 0u);
  EXPECT_EQ(budget.bytes(), 0u);
}

class DrainForecastTest : public testing::Test {
 protected:
  using Clock = DrainForecast::Clock;
  DrainForecastTest() { forecast_.Rested(start_); }

  Clock::duration WaitAt(int ms) { return forecast_.Wait(start_ + milliseconds(ms)); }
  void Start(int calls) {
    for (int i = 0; i < calls; ++i) forecast_.Started();
  }
  void Answer(int calls) {
    for (int i = 0; i < calls; ++i) forecast_.Answered();
  }
  // Calls are taken up all the time, one each millisecond.
  void StayBusy(int from_ms, int until_ms) {
    for (int ms = from_ms; ms <= until_ms; ++ms) WaitAt(ms);
  }

  const Clock::time_point start_ = Clock::now();
  DrainForecast forecast_;
};

TEST_F(DrainForecastTest, ABurstIsNoBacklog) {
  Start(100);
  StayBusy(1, 19);
  EXPECT_EQ(WaitAt(20), Clock::duration::zero());
}

TEST_F(DrainForecastTest, TheWaitIsThatOfTheCallsBefore) {
  Start(29);
  Answer(19);
  StayBusy(1, 100);
  // 20 in 100 ms, the one under way included; 10 are in progress.
  EXPECT_EQ(WaitAt(101), milliseconds(50));
}

TEST_F(DrainForecastTest, LooksAheadNoFurtherThanItKnows) {
  Start(1000);
  StayBusy(1, 100);
  EXPECT_EQ(WaitAt(101), milliseconds(400));
  StayBusy(102, 5000);
  EXPECT_EQ(WaitAt(5001), milliseconds(20'000));
}

// As on a busy machine, or when a machine is moved.
TEST_F(DrainForecastTest, WithoutItsCoreAThreadHasNoBacklog) {
  Start(64);
  EXPECT_EQ(WaitAt(1), Clock::duration::zero());
  EXPECT_EQ(WaitAt(3000), Clock::duration::zero());
  StayBusy(3001, 3017);
  EXPECT_EQ(WaitAt(3018), Clock::duration::zero());
}

TEST_F(DrainForecastTest, WhoIsSlowAllTheTimeHasABacklog) {
  Start(64);
  // A turn each 100 ms, with one answer.
  for (int ms = 100; ms <= 5000; ms += 100) {
    forecast_.Answered();
    forecast_.Started();
    WaitAt(ms);
  }
  EXPECT_GE(WaitAt(5100), seconds(4));
}

TEST_F(DrainForecastTest, WhoDoesNotReadHoldsNobodyUp) {
  Start(1000);  // never answered
  forecast_.Rested(start_ + milliseconds(500));
  EXPECT_EQ(WaitAt(510), Clock::duration::zero());
}

TEST_F(DrainForecastTest, ForgetsWhatIsLongPast) {
  Start(1);
  StayBusy(1, 800);
  EXPECT_EQ(WaitAt(801), milliseconds(800));
  StayBusy(802, 10'000);
  EXPECT_LE(WaitAt(10'001), seconds(1));
}

TEST(Pushback, IsBoundedAndSpread) {
  EXPECT_EQ(PushbackOf(milliseconds(100), 0.0), milliseconds(50));
  EXPECT_EQ(PushbackOf(milliseconds(100), 0.5), milliseconds(100));
  EXPECT_LE(PushbackOf(milliseconds(100), 0.999), milliseconds(150));
  EXPECT_EQ(PushbackOf(milliseconds(0), 0.5), milliseconds(10));
  EXPECT_EQ(PushbackOf(std::chrono::hours(1), 0.5), milliseconds(1000));
}

TEST(Shortage, LastsUntilNobodyMeetsIt) {
  Shortage shortage;
  const auto start = Shortage::Clock::now();
  EXPECT_EQ(shortage.Met(start), milliseconds(0));
  EXPECT_EQ(shortage.Met(start + milliseconds(150)), milliseconds(150));
  EXPECT_EQ(shortage.Met(start + milliseconds(300)), milliseconds(300));
  EXPECT_EQ(shortage.Met(start + milliseconds(900)), milliseconds(0));
}

class GateTest : public testing::Test {
 protected:
  std::optional<Refusal> Admit(Passage* passage, Method method = Method::kGet, uint64_t bytes = 0) {
    return gate_.Admit(method, 1, bytes, Gate::Clock::time_point::max(), passage);
  }

  Admissions shared_{{.operations = 2, .bytes = 1 << 20}};
  Gate gate_{&shared_};
};

TEST_F(GateTest, RefusesBeyondTheBudgetWithReasonAndPushback) {
  Passage first;
  Passage second;
  Passage third;
  ASSERT_FALSE(Admit(&first).has_value());
  ASSERT_FALSE(Admit(&second).has_value());
  const std::optional<Refusal> refusal = Admit(&third);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refusal->status), v1::OVERLOADED);
  EXPECT_THAT(std::string(refusal->status.message()),
              testing::HasSubstr("--max-inflight-operations"));
  EXPECT_GE(refusal->delay.count(), 0);
  EXPECT_EQ(refusal->reason, ShedReason::kOperations);
  first.End();
  EXPECT_FALSE(Admit(&third).has_value());
}

TEST_F(GateTest, RepliesCountUntilTheyAreOut) {
  Passage first;
  Passage second;
  ASSERT_FALSE(Admit(&first, Method::kGet, 100).has_value());
  first.HoldReply(1 << 20);
  EXPECT_EQ(shared_.budget.bytes(), Gate::kCallBytes + 100 + (1 << 20));
  const std::optional<Refusal> refusal = Admit(&second);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_THAT(std::string(refusal->status.message()), testing::HasSubstr("--max-inflight-bytes"));
  EXPECT_EQ(refusal->reason, ShedReason::kBytes);
  first.HoldReply(1000);  // the next message of a stream
  EXPECT_EQ(shared_.budget.bytes(), Gate::kCallBytes + 1100);
  EXPECT_FALSE(Admit(&second).has_value());
}

TEST_F(GateTest, WhateverWayACallEndsItGivesBack) {
  {
    Passage dropped;
    ASSERT_FALSE(Admit(&dropped).has_value());
    Passage moved = std::move(dropped);
    moved.HoldReply(500);
    dropped.End();  // holds nothing any more
    EXPECT_EQ(shared_.budget.operations(), 1u);
  }
  Passage ended;
  ASSERT_FALSE(Admit(&ended).has_value());
  ended.End();
  ended.End();
  EXPECT_EQ(shared_.budget.operations(), 0u);
  EXPECT_EQ(shared_.budget.bytes(), 0u);
}

TEST_F(GateTest, AdminCallsAlwaysPass) {
  Passage first;
  Passage second;
  Passage admin;
  ASSERT_FALSE(Admit(&first).has_value());
  ASSERT_FALSE(Admit(&second).has_value());
  EXPECT_FALSE(Admit(&admin, Method::kStats).has_value());
  EXPECT_EQ(shared_.budget.operations(), 2u);
}

TEST_F(GateTest, ProbesAlwaysPass) {
  Passage first;
  Passage second;
  Passage probe;
  ASSERT_FALSE(Admit(&first).has_value());
  ASSERT_FALSE(Admit(&second).has_value());
  EXPECT_FALSE(Admit(&probe, Method::kHealthCheck).has_value());
}

TEST_F(DrainForecastTest, ACallThatWaitsForSomethingElseIsNoBacklog) {
  Start(20);
  for (int i = 0; i < 20; ++i) forecast_.Left();
  StayBusy(1, 100);
  EXPECT_EQ(WaitAt(101), Clock::duration::zero());
}

TEST_F(GateTest, ACallThatWaitsHoldsItsPartOfTheBudget) {
  Passage waiting;
  ASSERT_FALSE(Admit(&waiting).has_value());
  waiting.Wait();
  waiting.Wait();  // still
  EXPECT_EQ(shared_.budget.operations(), 1u);
  waiting.Resume();
  waiting.Wait();
  waiting.End();
  EXPECT_EQ(shared_.budget.operations(), 0u);
}

}  // namespace
}  // namespace ferrite
