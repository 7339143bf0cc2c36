// What becomes of replies that nobody takes, and of frames that come meanwhile. No gRPC.

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <string>

#include "server/call/status.h"
#include "server/engine/call.h"
#include "tests/server/call_fixture.h"

namespace ferrite {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class DeparturesTest : public CallTest {
 protected:
  DeparturesTest() { thread_.departures()->EndAfter(hours(1)); }

  uint64_t Stalled() {
    return counters_.Sum([](const ThreadCounters& thread) { return thread.stalled_replies(); });
  }
  // As if the timers' clock were an hour ahead.
  void AnHourPasses() { thread_.timers()->RingDue(Timers::Clock::now() + hours(1)); }
  void EndAtOnce() { thread_.departures()->EndAfter(milliseconds(-1)); }
};

TEST_F(DeparturesTest, AReplyThatNobodyTakesEndsItsCall) {
  EndAtOnce();
  Make(Shape::kUnary);
  Begin();
  EXPECT_EQ(transport_.cancelled, 0);
  AnHourPasses();
  EXPECT_EQ(transport_.cancelled, 1);
  EXPECT_EQ(Stalled(), 1u);
  AnHourPasses();
  EXPECT_EQ(transport_.cancelled, 1) << "once";
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(DeparturesTest, AReplyThatIsOutEndsNothing) {
  EndAtOnce();
  Make(Shape::kUnary);
  Begin();
  call_->OnFinished();
  AnHourPasses();
  call_->OnGone();
  EXPECT_EQ(transport_.cancelled, 0);
  EXPECT_EQ(Stalled(), 0u);
  ExpectOver();
}

TEST_F(DeparturesTest, ItsTimeIsNotOverBefore) {
  Make(Shape::kUnary);
  Begin();
  thread_.timers()->RingDue(Timers::Clock::now());
  EXPECT_EQ(transport_.cancelled, 0);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(DeparturesTest, WithoutALimitNothingEnds) {
  thread_.departures()->EndAfter(hours(0));
  Make(Shape::kUnary);
  Begin();
  EXPECT_EQ(thread_.timers()->next(), Timers::Clock::time_point::max());
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(DeparturesTest, ASubscriptionMayReadWhenItLikes) {
  EndAtOnce();
  MakeWaiting(Shape::kFeed, {Next::kMessage, Next::kWait}, Method::kSubscribe);
  Begin();
  AnHourPasses();
  EXPECT_EQ(transport_.cancelled, 0);
  call_->OnWritten(true);
  call_->OnGone();
  ExpectOver();
}

TEST_F(DeparturesTest, AReplyToAFrameThatNobodyTakesEndsTheStream) {
  EndAtOnce();
  Make(Shape::kFrames, Method::kPipeline);
  Begin();
  call_->OnRead(true);
  AnHourPasses();
  EXPECT_EQ(transport_.cancelled, 1);
  call_->OnGone();
  call_->OnWritten(false);
  call_->OnRead(false);
  ExpectOver();
  EXPECT_EQ(Handled(absl::StatusCode::kCancelled), 1u);
}

// Calls whose messages stay on their way.
class OvertakenTest : public DeparturesTest {
 protected:
  using Clock = DrainForecast::Clock;

  Call* Start() {
    calls_.emplace_back(&transports_.emplace_back(), &rpc_, &thread_).Begin();
    return &calls_.back();
  }
  void End(Call* call) {
    call->OnFinished();
    call->OnGone();
  }
  void SpinFor(milliseconds time) {
    for (const auto until = Clock::now() + time; Clock::now() < until;) {
    }
  }
  // Whether a call that cannot wait long is refused as it would come too late.
  bool HasBacklog() {
    Passage passage;
    const std::optional<Refusal> refusal = thread_.gate()->Admit(
        Method::kGet, thread_.gate()->ShareOf(7), 1, 0, Clock::now() + milliseconds(8), &passage);
    return refusal.has_value() && refusal->reason == ShedReason::kBacklog;
  }

  std::deque<FakeTransport> transports_;
  std::deque<Call> calls_;
};

TEST_F(OvertakenTest, WhatWaitsForItsClientIsNoBacklog) {
  Make(Shape::kUnary);
  thread_.gate()->Rested();
  std::deque<Call*> stalled;
  for (int i = 0; i < 4; ++i) stalled.push_back(Start());
  // The thread is busy all the time, with calls that are answered at once.
  for (int i = 0; i < 60; ++i) {
    SpinFor(milliseconds(1));
    Call* const quick = Start();

    End(quick);
  }
  EXPECT_FALSE(HasBacklog()) << "those that were overtaken do not count";
  EXPECT_EQ(admissions_.budget.operations(), 4u) << "but they hold their part of the budget";
  for (Call* call : stalled) End(call);
  EXPECT_EQ(admissions_.budget.operations(), 0u);
  EXPECT_EQ(counters_.Inflight(), 0u);
}

TEST_F(OvertakenTest, WhatNobodyHasOvertakenIsBacklog) {
  Make(Shape::kUnary);
  thread_.gate()->Rested();
  std::deque<Call*> waiting;
  for (int i = 0; i < 4; ++i) waiting.push_back(Start());
  for (int i = 0; i < 60; ++i) {
    SpinFor(milliseconds(1));
    HasBacklog();
  }
  EXPECT_TRUE(HasBacklog());
  for (Call* call : waiting) End(call);
}

class FrameAheadTest : public CallTest {
 protected:
  FrameAheadTest() { Make(Shape::kFrames, Method::kPipeline); }

  void OnFrame(size_t bytes) {
    transport_.SetRequest(std::string(bytes, 'f'));
    call_->OnRead(true);
  }
};

TEST_F(FrameAheadTest, CountsFromTheMomentItIsThere) {
  Begin();
  OnFrame(100);
  OnFrame(100'000);  // while the reply to the first is on its way
  EXPECT_EQ(handled_, 1);
  EXPECT_EQ(admissions_.budget.operations(), 2u);
  EXPECT_GE(admissions_.budget.bytes(), 100'100 + 2 * Gate::kCallBytes);
  call_->OnWritten(true);
  EXPECT_EQ(handled_, 2);
  EXPECT_EQ(admissions_.budget.operations(), 1u);
  call_->OnWritten(true);
  call_->OnRead(false);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
  EXPECT_EQ(Handled(absl::StatusCode::kOk), 1u);
}

TEST_F(FrameAheadTest, WithoutRoomItsMemoryGoesAtOnceAndTheStreamEndsInItsTurn) {
  Begin();
  OnFrame(10 << 20);
  OnFrame(500'000);  // of 16 MiB, the first holds more than half
  EXPECT_EQ(transport_.request().size(), 0u) << "it was let go";
  EXPECT_EQ(admissions_.budget.operations(), 1u);
  EXPECT_FALSE(transport_.finished.has_value()) << "a reply is on its way";
  call_->OnWritten(true);
  EXPECT_EQ(handled_, 1);
  ASSERT_TRUE(transport_.finished.has_value());
  EXPECT_EQ(ReasonOf(transport_.finished->status), v1::OVERLOADED);
  EXPECT_EQ(transport_.finished->trailers.at(0).first, "grpc-retry-pushback-ms");
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(FrameAheadTest, IsGivenBackIfTheClientGoes) {
  Begin();
  OnFrame(100);
  OnFrame(100);
  call_->OnGone();
  call_->OnWritten(false);
  ExpectOver();
}

}  // namespace
}  // namespace ferrite
