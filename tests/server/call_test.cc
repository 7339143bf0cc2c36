// The life of a call (server/engine/call.h), event by event, in every order in which a front may
// give them. No gRPC.

#include "server/engine/call.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "server/call/status.h"
#include "tests/server/call_fixture.h"

namespace ferrite {
namespace {

TEST_F(CallTest, AUnaryCallIsAnsweredAtOnce) {
  Make(Shape::kUnary);
  Begin();
  ASSERT_TRUE(transport_.finished.has_value());
  EXPECT_TRUE(transport_.finished->status.ok());
  EXPECT_EQ(transport_.last_message, "at once");
  EXPECT_EQ(transport_.took_next, 1);
  EXPECT_EQ(admissions_.budget.operations(), 1u);  // until the answer is out
  call_->OnFinished();
  EXPECT_EQ(admissions_.budget.operations(), 0u);
  EXPECT_EQ(transport_.released, 0);
  call_->OnGone();
  ExpectOver();
  EXPECT_EQ(Handled(absl::StatusCode::kOk), 1u);
}

TEST_F(CallTest, TheEndOnTheWireMayComeBeforeTheEndOfFinish) {
  Make(Shape::kUnary);
  Begin();
  call_->OnGone();
  EXPECT_EQ(transport_.released, 0);
  call_->OnFinished();
  ExpectOver();
}

TEST_F(CallTest, ACallWhoseClientIsGoneBeforeItBeganIsNotExecuted) {
  Make(Shape::kUnary);
  call_->OnGone();
  EXPECT_EQ(transport_.released, 0);
  Begin();
  EXPECT_EQ(handled_, 0);
  EXPECT_EQ(transport_.took_next, 1);
  ExpectOver();
  EXPECT_EQ(Handled(absl::StatusCode::kCancelled), 1u);
}

TEST_F(CallTest, ACallPastItsDeadlineIsNotExecuted) {
  Make(Shape::kUnary);
  transport_.set_deadline(Caller::Clock::now());
  Begin();
  EXPECT_EQ(handled_, 0);
  EXPECT_EQ(finished(), absl::StatusCode::kDeadlineExceeded);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, AWaitingCallIsAnsweredWhenItIsWoken) {
  MakeWaiting(Shape::kUnary, {Next::kWait, Next::kEnd});
  Begin();
  EXPECT_FALSE(transport_.finished.has_value());
  EXPECT_EQ(transport_.took_next, 1);  // its thread is free for others
  EXPECT_EQ(counters_.Waiting(Method::kGet), 1u);
  EXPECT_EQ(admissions_.budget.operations(), 1u);
  Wake();
  ASSERT_TRUE(transport_.finished.has_value());
  EXPECT_EQ(transport_.last_message, "later");
  EXPECT_EQ(script_.alive, 0);
  EXPECT_EQ(counters_.Waiting(Method::kGet), 0u);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, WakingNeverAdvancesWithinTheCallOfIt) {
  MakeWaiting(Shape::kUnary, {Next::kWait, Next::kEnd});
  Begin();
  waker_->Wake();
  waker_->Wake();
  EXPECT_EQ(script_.asked, 1);
  thread_.Run();
  EXPECT_EQ(script_.asked, 2);
  call_->OnFinished();
  call_->OnGone();
}

TEST_F(CallTest, AWakerOutlivesItsCall) {
  MakeWaiting(Shape::kUnary, {});
  Begin();
  call_->OnGone();
  ExpectOver();
  call_.reset();
  Wake();
  EXPECT_EQ(script_.asked, 1);
}

TEST_F(CallTest, AWaitThatIsCancelledEndsAtOnce) {
  MakeWaiting(Shape::kUnary, {Next::kWait});
  Begin();
  call_->OnGone();
  EXPECT_FALSE(transport_.finished.has_value());
  ExpectOver();
  EXPECT_EQ(Handled(absl::StatusCode::kCancelled), 1u);
}

TEST_F(CallTest, AWakeAndACancellationMeet) {
  MakeWaiting(Shape::kUnary, {Next::kWait, Next::kEnd});
  Begin();
  waker_->Wake();
  call_->OnGone();
  thread_.Run();
  EXPECT_EQ(script_.asked, 1);
  ExpectOver();
}

TEST_F(CallTest, AWaitEndsByItsDeadline) {
  MakeWaiting(Shape::kUnary, {});
  const auto deadline = Caller::Clock::now() + std::chrono::hours(1);
  transport_.set_deadline(deadline);
  Begin();
  EXPECT_EQ(thread_.timers()->next(), deadline);
  thread_.timers()->RingDue(deadline);
  EXPECT_EQ(finished(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(script_.alive, 0);
  Wake();  // too late
  call_->OnGone();
  call_->OnFinished();
  ExpectOver();
  EXPECT_EQ(Handled(absl::StatusCode::kDeadlineExceeded), 1u);
}

TEST_F(CallTest, AnEndByDeadlineCountsAsSuchAlsoIfItsClientIsGone) {
  MakeWaiting(Shape::kUnary, {});
  const auto deadline = Caller::Clock::now() + std::chrono::hours(1);
  transport_.set_deadline(deadline);
  Begin();
  thread_.timers()->RingDue(deadline);
  call_->OnGone();
  call_->OnFinished();
  ExpectOver();
  EXPECT_EQ(Handled(absl::StatusCode::kDeadlineExceeded), 1u);
}

TEST_F(CallTest, ACallThatYieldsIsAskedAfterOthersHadTheirTurn) {
  MakeWaiting(Shape::kUnary, {Next::kYield, Next::kYield, Next::kEnd});
  Begin();
  EXPECT_EQ(script_.asked, 1);
  EXPECT_TRUE(thread_.RunYielded());
  EXPECT_EQ(script_.asked, 2);
  EXPECT_TRUE(thread_.RunYielded());
  EXPECT_FALSE(thread_.RunYielded());
  ASSERT_TRUE(transport_.finished.has_value());
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, AYieldThatIsCancelledIsNotAskedAgain) {
  MakeWaiting(Shape::kUnary, {Next::kYield, Next::kYield});
  Begin();
  call_->OnGone();
  ExpectOver();
  thread_.RunYielded();
  EXPECT_EQ(script_.asked, 1);
}

TEST_F(CallTest, AnAnswerMayFail) {
  MakeWaiting(Shape::kUnary, {Next::kWait, Next::kEnd});
  script_.end = absl::NotFoundError("gone");
  Begin();
  Wake();
  EXPECT_EQ(finished(), absl::StatusCode::kNotFound);
  EXPECT_EQ(thread_.reply()->size(), 0u);  // what was written is dropped
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, AUnaryCallThatWaitsOutlivesTheDrain) {
  MakeWaiting(Shape::kUnary, {Next::kWait, Next::kEnd});
  Begin();
  thread_.Drain(absl::UnavailableError("drained"));
  EXPECT_FALSE(transport_.finished.has_value());
  Wake();
  EXPECT_TRUE(transport_.finished->status.ok());
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, OnAClosedThreadNothingIsStarted) {
  MakeWaiting(Shape::kUnary, {Next::kWait, Next::kEnd});
  Begin();
  thread_.CloseNow();
  Wake();
  EXPECT_FALSE(transport_.finished.has_value());
  EXPECT_EQ(script_.alive, 0);
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, AStreamSendsOneMessageAtATime) {
  MakeWaiting(Shape::kStream, {Next::kMessage, Next::kMessage, Next::kEnd}, Method::kScan);
  Begin();
  EXPECT_EQ(transport_.written.size(), 1u);
  Wake();  // does not send while a message is on its way
  EXPECT_EQ(transport_.written.size(), 1u);
  call_->OnWritten(true);
  EXPECT_EQ(transport_.written.size(), 2u);
  call_->OnWritten(true);
  EXPECT_EQ(script_.sent, 2);
  EXPECT_TRUE(transport_.finished->status.ok());
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, AFeedEndsWhenTheServerDrainsAfterTheMessageThatIsOnItsWay) {
  MakeWaiting(Shape::kFeed, {Next::kMessage, Next::kMessage}, Method::kSubscribe);
  Begin();
  EXPECT_EQ(admissions_.budget.operations(), 0u);  // keeps nobody waiting
  thread_.Drain(absl::UnavailableError("drained"));
  EXPECT_FALSE(transport_.finished.has_value());
  call_->OnWritten(true);
  EXPECT_EQ(transport_.written.size(), 1u);
  EXPECT_EQ(finished(), absl::StatusCode::kUnavailable);
  call_->OnGone();
  call_->OnFinished();
  ExpectOver();
}

TEST_F(CallTest, AFeedSaysItsLastWordBeforeTheServerEndsIt) {
  MakeWaiting(Shape::kFeed, {Next::kMessage}, Method::kHealthWatch);
  script_.last_words = 1;
  Begin();
  thread_.Drain(absl::UnavailableError("drained"));
  Wake();  // it had woken itself before
  EXPECT_EQ(transport_.written.size(), 1u);
  call_->OnWritten(true);
  EXPECT_EQ(transport_.written.size(), 2u);
  EXPECT_FALSE(transport_.finished.has_value());
  call_->OnWritten(true);
  EXPECT_EQ(script_.sent, 2);
  EXPECT_EQ(finished(), absl::StatusCode::kUnavailable);
  call_->OnGone();
  call_->OnFinished();
  ExpectOver();
}

TEST_F(CallTest, AFeedWhoseMessageCannotBeSentWaitsForTheEndOnTheWire) {
  MakeWaiting(Shape::kFeed, {Next::kMessage, Next::kMessage}, Method::kSubscribe);
  Begin();
  call_->OnWritten(false);
  EXPECT_EQ(script_.alive, 0);
  EXPECT_FALSE(transport_.finished.has_value());
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, AFeedThatIsDrainedBetweenFinishAndTheEndOnTheWireFinishesOnce) {
  MakeWaiting(Shape::kFeed, {Next::kEnd}, Method::kSubscribe);
  script_.end = absl::ResourceExhaustedError("too slow");
  Begin();
  EXPECT_EQ(finished(), absl::StatusCode::kResourceExhausted);
  call_->OnFinished();
  thread_.Drain(absl::UnavailableError("drained"));
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, FramesAreAnsweredInOrderWithOneReadAndOneWriteInFlight) {
  Make(Shape::kFrames, Method::kPipeline);
  Begin();
  EXPECT_EQ(transport_.reads, 1);
  call_->OnRead(true);
  EXPECT_EQ(transport_.written.size(), 1u);
  EXPECT_EQ(transport_.reads, 2);
  call_->OnRead(true);
  EXPECT_EQ(handled_, 1);  // the reply before it is not out
  call_->OnWritten(true);
  EXPECT_EQ(handled_, 2);
  call_->OnRead(false);  // no more frames
  EXPECT_FALSE(transport_.finished.has_value());
  call_->OnWritten(true);
  EXPECT_TRUE(transport_.finished->status.ok());
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, AFrameCameWhenItWasReadOrAsMuchEarlierAsItMayHaveWaited) {
  Make(Shape::kFrames, Method::kPipeline);
  Begin();
  call_->OnRead(true);
  const auto first_came = received_;
  thread_.wait()->Worked(3'600'000'000'000);  // an hour for other calls
  call_->OnRead(true);
  const auto read_by = Turn::Clock::now();
  call_->OnWritten(true);
  ASSERT_EQ(handled_, 2);
  EXPECT_GE(received_, first_came - std::chrono::hours(1));
  EXPECT_LE(received_, read_by - std::chrono::hours(1));
  call_->OnRead(false);
  call_->OnWritten(true);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, AFrameThatWaitsHoldsUpThoseBehindIt) {
  MakeWaiting(Shape::kFrames, {Next::kWait, Next::kEnd, Next::kEnd}, Method::kPipeline);
  Begin();
  call_->OnRead(true);
  EXPECT_EQ(transport_.reads, 1);
  Wake();
  EXPECT_EQ(transport_.written.size(), 1u);
  EXPECT_EQ(transport_.reads, 2);
  call_->OnWritten(true);
  call_->OnRead(true);
  EXPECT_EQ(transport_.written.size(), 2u);
  call_->OnWritten(true);
  call_->OnRead(false);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, AFrameThatWaitsEndsByADeadlineThatHasPassedBetweenFrames) {
  MakeWaiting(Shape::kFrames, {Next::kWait, Next::kEnd}, Method::kPipeline);
  const auto deadline = Caller::Clock::now() + std::chrono::hours(1);
  transport_.set_deadline(deadline);
  Begin();
  call_->OnRead(true);
  Wake();
  call_->OnWritten(true);
  thread_.timers()->RingDue(deadline);
  EXPECT_FALSE(transport_.finished.has_value());
  call_->OnRead(true);  // its answer waits for ever
  ASSERT_EQ(thread_.timers()->next(), deadline);
  thread_.timers()->RingDue(deadline);
  EXPECT_EQ(finished(), absl::StatusCode::kDeadlineExceeded);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, ACallThatYieldsAndIsWokenHasOneTurnAmongThoseThatYield) {
  MakeWaiting(Shape::kUnary, std::vector<Next>(10, Next::kYield));
  Begin();
  for (int i = 0; i < 5; ++i) {
    waker_->Wake();
    thread_.Run();
  }
  const int asked = script_.asked;
  EXPECT_TRUE(thread_.RunYielded());
  EXPECT_EQ(script_.asked, asked + 1);
  call_->OnGone();
  EXPECT_TRUE(thread_.RunYielded());  // the one that is left of the call
  EXPECT_FALSE(thread_.RunYielded());
  ExpectOver();
}

TEST_F(CallTest, WhatAStreamWroteWithItsEndIsNoPartOfTheNextReply) {
  MakeWaiting(Shape::kStream, {Next::kEnd}, Method::kScan);
  Begin();
  EXPECT_TRUE(transport_.finished->status.ok());
  transport_.last_message.clear();
  EXPECT_EQ(thread_.reply()->size(), 0u);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, AFrameThatWaitsIsAnsweredBeforeTheDrain) {
  MakeWaiting(Shape::kFrames, {Next::kWait, Next::kEnd}, Method::kPipeline);
  Begin();
  call_->OnRead(true);
  thread_.Drain(absl::UnavailableError("drained"));
  EXPECT_FALSE(transport_.finished.has_value());
  Wake();
  EXPECT_EQ(transport_.written.size(), 1u);
  call_->OnWritten(true);
  EXPECT_EQ(finished(), absl::StatusCode::kUnavailable);
  call_->OnRead(false);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, AFrameThatIsCancelledWhileItWaitsEndsTheStream) {
  MakeWaiting(Shape::kFrames, {Next::kWait}, Method::kPipeline);
  Begin();
  call_->OnRead(true);
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, ARefusedFrameEndsTheStream) {
  Make(Shape::kFrames, Method::kPipeline);
  refuse_ = absl::InvalidArgumentError("bad");
  Begin();
  call_->OnRead(true);
  EXPECT_EQ(finished(), absl::StatusCode::kInvalidArgument);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, AnErrorThatWillBeTheSameAgainSaysSo) {
  Make(Shape::kUnary);
  refuse_ = MakeError(absl::StatusCode::kResourceExhausted, v1::REPLY_TOO_LARGE, "too large");
  Begin();
  ASSERT_EQ(transport_.finished->trailers.size(), 1u);
  EXPECT_EQ(transport_.finished->trailers[0].first, "grpc-retry-pushback-ms");
  EXPECT_EQ(transport_.finished->trailers[0].second, "-1");
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, ARefusalSaysWhenToComeAgain) {
  admissions_.budget.Take(admissions_.budget.ShareOf(2), 40, 0);
  Make(Shape::kUnary);
  Begin();
  EXPECT_EQ(handled_, 0);
  EXPECT_EQ(finished(), absl::StatusCode::kResourceExhausted);
  ASSERT_EQ(transport_.finished->trailers.size(), 1u);
  EXPECT_EQ(transport_.finished->trailers[0].first, "grpc-retry-pushback-ms");
  EXPECT_EQ(counters_.Sum(
                [](const ThreadCounters& thread) { return thread.count(ShedReason::kOperations); }),
            1u);
  admissions_.budget.GiveBack(admissions_.budget.ShareOf(2), 40, 0);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

}  // namespace
}  // namespace ferrite
