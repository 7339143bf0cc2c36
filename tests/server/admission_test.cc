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
  InflightBudget budget({.operations = 2, .bytes = 1000, .connection_percent = 100});
  InflightBudget::Share* const share = budget.ShareOf(1);
  EXPECT_EQ(budget.Take(share, 1, 10), Admission::kAdmitted);
  EXPECT_EQ(budget.Take(share, 5, 10), Admission::kAdmitted);  // the last one may go beyond
  EXPECT_EQ(budget.Take(share, 1, 10), Admission::kNoOperations);
  EXPECT_EQ(budget.operations(), 6u);
  EXPECT_EQ(budget.bytes(), 20u);
  budget.GiveBack(share, 5, 10);
  EXPECT_EQ(budget.Take(share, 1, 10), Admission::kAdmitted);
}

TEST(InflightBudget, AdmitsUntilBytesAreUsedUp) {
  InflightBudget budget({.operations = 100, .bytes = 1000, .connection_percent = 100});
  InflightBudget::Share* const share = budget.ShareOf(1);
  EXPECT_EQ(budget.Take(share, 1, 900), Admission::kAdmitted);
  budget.Exchange(share, 0, 500);  // the reply
  EXPECT_EQ(budget.Take(share, 1, 1), Admission::kNoBytes);
  EXPECT_EQ(budget.bytes(), 1400u);
  budget.Exchange(share, 500, 100);
  EXPECT_EQ(budget.operations(), 1u);
  EXPECT_EQ(budget.bytes(), 1000u);
  budget.Exchange(share, 100, 500);
  budget.GiveBack(share, 1, 1400);
  EXPECT_EQ(budget.Take(share, 1, 1), Admission::kAdmitted);
}

TEST(InflightBudget, KeepsCountAtItsGreatest) {
  InflightBudget budget({.operations = InflightBudget::kMaxOperations,
                         .bytes = InflightBudget::kMaxBytes,
                         .connection_percent = 100});
  InflightBudget::Share* const share = budget.ShareOf(1);
  EXPECT_EQ(budget.Take(share, InflightBudget::kMaxOperations - 1, InflightBudget::kMaxBytes - 1),
            Admission::kAdmitted);
  EXPECT_EQ(budget.Take(share, 1024, 64 << 20), Admission::kAdmitted);
  EXPECT_EQ(budget.operations(), InflightBudget::kMaxOperations + 1023);
  EXPECT_EQ(budget.bytes(), InflightBudget::kMaxBytes - 1 + (64 << 20));
}

TEST(InflightBudget, ManyThreadsNeverShareTheLastOperation) {
  InflightBudget budget({.operations = 3, .bytes = 1 << 20, .connection_percent = 100});
  InflightBudget::Share* const share = budget.ShareOf(1);
  std::atomic<int> inside = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 10'000; ++turn) {
        if (budget.Take(share, 1, 1) != Admission::kAdmitted) continue;
        EXPECT_LE(++inside, 3);
        --inside;
        budget.GiveBack(share, 1, 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.operations(), 0u);
  EXPECT_EQ(budget.bytes(), 0u);
}

// What each of so many connections gets that take all they can, a byte at a time and in turn.
std::vector<int> Compete(int connections, uint64_t percent) {
  InflightBudget budget({.operations = 1 << 20, .bytes = 1200, .connection_percent = percent});
  std::vector<int> got(static_cast<size_t>(connections));
  for (int turn = 0; turn < 1300; ++turn) {
    for (size_t one = 0; one < got.size(); ++one) {
      got[one] += budget.Take(budget.ShareOf(one + 1), 1, 1) == Admission::kAdmitted;
    }
  }
  return got;
}

TEST(ConnectionShares, ALoneConnectionGetsItsShareAndNoMore) {
  EXPECT_THAT(Compete(1, 50), testing::ElementsAre(600));
  EXPECT_THAT(Compete(1, 25), testing::ElementsAre(300));
  EXPECT_THAT(Compete(1, 100), testing::ElementsAre(1200));
}

TEST(ConnectionShares, SeveralGetTheSameAndSomethingStaysFree) {
  EXPECT_THAT(Compete(2, 50), testing::Each(testing::AllOf(testing::Ge(399), testing::Le(401))));
  EXPECT_THAT(Compete(5, 50), testing::Each(testing::AllOf(testing::Ge(199), testing::Le(201))));
}

TEST(ConnectionShares, ThoseThatKeepWhatTheyHaveLeaveSomethingToWhoComesLater) {
  InflightBudget budget({.operations = 1 << 20, .bytes = 1 << 20});
  for (uint64_t hog = 1; hog <= 50; ++hog) {
    while (budget.Take(budget.ShareOf(hog), 1, 1'000) == Admission::kAdmitted) {
    }
  }
  for (uint64_t later = 100; later < 150; ++later)
    EXPECT_EQ(budget.Take(budget.ShareOf(later), 1, 1'000), Admission::kAdmitted) << later;
}

TEST(ConnectionShares, WhoHoldsNothingGetsSomethingAsLongAsAnythingIsFree) {
  InflightBudget budget({.operations = 100, .bytes = 1000});
  ASSERT_EQ(budget.Take(budget.ShareOf(1), 1, 999), Admission::kAdmitted);
  EXPECT_EQ(budget.Take(budget.ShareOf(1), 1, 1), Admission::kShareTaken);
  EXPECT_EQ(budget.bytes(), 999u) << "nothing was taken";
  EXPECT_EQ(budget.Take(budget.ShareOf(2), 1, 500), Admission::kAdmitted);
  EXPECT_EQ(budget.Take(budget.ShareOf(3), 1, 1), Admission::kNoBytes);
}

TEST(ConnectionShares, OperationsAreSharedAsBytesAre) {
  InflightBudget budget({.operations = 4, .bytes = 1 << 20});
  EXPECT_EQ(budget.Take(budget.ShareOf(1), 1, 1), Admission::kAdmitted);
  EXPECT_EQ(budget.Take(budget.ShareOf(1), 1, 1), Admission::kAdmitted);
  EXPECT_EQ(budget.Take(budget.ShareOf(1), 1, 1), Admission::kShareTaken);
  EXPECT_EQ(budget.Take(budget.ShareOf(2), 1, 1), Admission::kAdmitted);
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
  std::optional<Refusal> Admit(Passage* passage, Method method = Method::kGet, uint64_t bytes = 0,
                               uint64_t connection = 1) {
    return gate_.Admit(method, gate_.ShareOf(connection), 1, bytes, Gate::Clock::time_point::max(),
                       passage);
  }

  Admissions shared_{{.operations = 2, .bytes = 1 << 20, .connection_percent = 100}};
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

TEST(Gate, RefusesAConnectionThatHoldsItsShareAndSaysSo) {
  Admissions shared({.operations = 100, .bytes = 1 << 20});
  Gate gate(&shared);
  std::vector<Passage> passages(4);
  const auto admit = [&](uint64_t connection, Passage* passage) {
    return gate.Admit(Method::kGet, gate.ShareOf(connection), 1, 0, Gate::Clock::time_point::max(),
                      passage);
  };
  ASSERT_FALSE(admit(1, &passages[0]).has_value());
  passages[0].HoldReply(600 << 10);
  const std::optional<Refusal> refusal = admit(1, &passages[1]);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->reason, ShedReason::kConnectionShare);
  EXPECT_EQ(ReasonOf(refusal->status), v1::OVERLOADED);
  EXPECT_THAT(std::string(refusal->status.message()), testing::HasSubstr("50%"));
  EXPECT_THAT(std::string(refusal->status.message()), testing::HasSubstr("--connection-share"));
  EXPECT_FALSE(admit(2, &passages[2]).has_value()) << "others go on";
  passages[0].End();
  EXPECT_FALSE(admit(1, &passages[3]).has_value());
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
