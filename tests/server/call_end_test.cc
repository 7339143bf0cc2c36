// How streams open, how calls end, and what is refused before it begins. No gRPC.

#include <gtest/gtest.h>

#include <deque>
#include <utility>

#include "server/call/status.h"
#include "server/engine/call.h"
#include "tests/server/call_fixture.h"

namespace ferrite {
namespace {

TEST_F(CallTest, AStreamOfFramesOpensBeforeItsFirstFrame) {
  Make(Shape::kFrames, Method::kPipeline);
  call_->Begin();
  EXPECT_EQ(transport_.openings, 1);
  EXPECT_EQ(transport_.reads, 1);
  call_->OnRead(true);
  EXPECT_EQ(transport_.written.size(), 1u);
  call_->OnWritten(true);
  call_->OnRead(false);
  call_->OnFinished();
  call_->OnGone();
  EXPECT_EQ(transport_.released, 0) << "it still opens";
  call_->OnOpened();
  EXPECT_EQ(transport_.openings, 1);
  ExpectOver();
}

TEST_F(CallTest, AStreamThatWaitsOpensAndOneThatSendsDoesNot) {
  MakeWaiting(Shape::kStream, {Next::kYield, Next::kWait, Next::kMessage, Next::kEnd},
              Method::kScan);
  call_->Begin();
  EXPECT_EQ(transport_.openings, 1);
  call_->OnOpened();
  EXPECT_TRUE(thread_.RunYielded());
  Wake();
  call_->OnWritten(true);
  call_->OnFinished();
  call_->OnGone();
  EXPECT_EQ(transport_.openings, 1) << "once";
  ExpectOver();
}

TEST_F(CallTest, AStreamThatSendsAtOnceNeedNotOpen) {
  MakeWaiting(Shape::kFeed, {Next::kMessage, Next::kWait}, Method::kSubscribe);
  call_->Begin();
  EXPECT_EQ(transport_.openings, 0);
  call_->OnWritten(true);
  EXPECT_EQ(transport_.openings, 0);
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, ARefusedStreamDoesNotOpen) {
  MakeWaiting(Shape::kFrames, {}, Method::kPipeline);
  transport_.set_deadline(Transport::Clock::time_point());
  call_->Begin();
  EXPECT_EQ(transport_.openings, 0);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(CallTest, AFeedThatItsClientLeavesEndedWell) {
  MakeWaiting(Shape::kFeed, {Next::kMessage, Next::kWait}, Method::kSubscribe);
  Begin();
  call_->OnWritten(true);
  call_->OnGone();
  ExpectOver();
  EXPECT_EQ(Handled(absl::StatusCode::kOk), 1u);
  EXPECT_EQ(Handled(absl::StatusCode::kCancelled), 0u);
}

TEST_F(CallTest, AFeedWhoseClientIsGoneBeforeAnythingWasSentDidNot) {
  MakeWaiting(Shape::kFeed, {Next::kMessage}, Method::kSubscribe);
  Begin();
  call_->OnWritten(false);
  call_->OnGone();
  ExpectOver();
  EXPECT_EQ(Handled(absl::StatusCode::kCancelled), 1u);
}

TEST_F(CallTest, AStreamOfFramesThatAreAllAnsweredEndsWellHoweverItsClientLeaves) {
  Make(Shape::kFrames, Method::kPipeline);
  Begin();
  call_->OnRead(true);
  call_->OnWritten(true);
  call_->OnGone();
  call_->OnRead(false);
  ExpectOver();
  EXPECT_EQ(Handled(absl::StatusCode::kOk), 1u);
}

TEST_F(CallTest, TheEndOfTheFramesMayComeBeforeTheClientsLeaving) {
  Make(Shape::kFrames, Method::kPipeline);
  Begin();
  call_->OnRead(true);
  call_->OnWritten(true);
  call_->OnRead(false);
  EXPECT_TRUE(transport_.finished->status.ok());
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
  EXPECT_EQ(Handled(absl::StatusCode::kOk), 1u);
}

TEST_F(CallTest, AClientThatLeavesAFrameUnansweredCancelsIt) {
  MakeWaiting(Shape::kFrames, {Next::kWait}, Method::kPipeline);
  Begin();
  call_->OnRead(true);
  call_->OnGone();
  ExpectOver();
  EXPECT_EQ(Handled(absl::StatusCode::kCancelled), 1u);
}

TEST_F(CallTest, AUnaryCallThatIsCancelledCountsAsSuch) {
  MakeWaiting(Shape::kUnary, {Next::kWait});
  Begin();
  call_->OnGone();
  ExpectOver();
  EXPECT_EQ(Handled(absl::StatusCode::kCancelled), 1u);
}

TEST_F(CallTest, AMessageThatCannotBeTakenIsRefusedAndCountedByItsReason) {
  Make(Shape::kUnary);
  transport_.message_problem = InvalidArgument(v1::REQUEST_TOO_LARGE, "far too large");
  Begin();
  EXPECT_EQ(handled_, 0);
  EXPECT_EQ(finished(), absl::StatusCode::kInvalidArgument);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
  EXPECT_EQ(Refused(v1::REQUEST_TOO_LARGE), 1u);
}

TEST_F(CallTest, AConnectionHasSoManyStreamsAndNoMore) {
  std::deque<FakeTransport> transports(4);
  std::deque<Call> calls;
  rpc_ = {Method::kPipeline, Shape::kFrames, [](Turn*) { return absl::OkStatus(); }};
  transports[3].connection_number = 2;
  for (FakeTransport& transport : transports) calls.emplace_back(&transport, &rpc_, &thread_);
  for (Call& call : calls) call.Begin();
  EXPECT_FALSE(transports[0].finished || transports[1].finished);
  ASSERT_TRUE(transports[2].finished.has_value()) << "the third of a connection";
  EXPECT_EQ(ReasonOf(transports[2].finished->status), v1::OVERLOADED);
  EXPECT_EQ(transports[2].finished->trailers.at(0).first, "grpc-retry-pushback-ms");
  EXPECT_FALSE(transports[3].finished.has_value()) << "another connection";
  calls[0].OnOpened();
  calls[0].OnGone();
  calls[0].OnRead(false);
  Call next(&transports[0], &rpc_, &thread_);  // in the place of the one that is over
  next.Begin();
  EXPECT_FALSE(transports[0].finished.has_value());
  for (Call* call : {&calls[1], &calls[2], &calls[3], &next}) {
    call->OnOpened();
    call->OnRead(false);
    call->OnFinished();
    call->OnGone();
  }
  EXPECT_FALSE(thread_.has_calls());
}

// A heartbeat may become due, and the server drain, when a stream has ended on our side but not on
// the wire.
class FinishedFeedTest : public CallTest {
 protected:
  void SetUp() override {
    MakeWaiting(Shape::kFeed, {Next::kMessage, Next::kWait}, Method::kSubscribe);
    Begin();
    call_->OnWritten(true);
    Disturb();
    ASSERT_TRUE(transport_.finished.has_value());
    EXPECT_EQ(script_.alive, 0) << "nothing is left that could send";
  }
  // FakeTransport minds if the call finishes again.
  void Disturb() {
    Wake();
    thread_.Drain(absl::UnavailableError("drained"));
    Wake();
  }
};

TEST_F(FinishedFeedTest, FinishesOnceIfItsEndComesFirst) {
  Disturb();
  call_->OnFinished();
  Disturb();
  call_->OnGone();
  Disturb();
  ExpectOver();
}

TEST_F(FinishedFeedTest, FinishesOnceIfTheEndOnTheWireComesFirst) {
  Disturb();
  call_->OnGone();
  Disturb();
  call_->OnFinished();
  Disturb();
  ExpectOver();
}

}  // namespace
}  // namespace ferrite
