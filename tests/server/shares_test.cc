// Limits of what connections share: streams, what subscriptions keep, and blocks that several
// replies refer to.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "server/admission/gate.h"
#include "server/admission/stream_places.h"
#include "server/call/reply_writer.h"
#include "server/events/subscriber_budget.h"
#include "store/value.h"
#include "tests/server/call_fixture.h"

namespace ferrite {
namespace {

class StreamPlacesTest : public testing::Test {
 protected:
  bool Take(uint64_t connection, Method method = Method::kPipeline) {
    return places_.Take(method, connection, &reason_).ok();
  }

  StreamPlaces places_{{.per_connection = 4, .all = 6}};
  ShedReason reason_ = ShedReason::kDeadline;
};

TEST_F(StreamPlacesTest, AConnectionGetsHalfAndAllGetNoMoreThanThereAre) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Take(1));
  EXPECT_FALSE(Take(1));
  EXPECT_EQ(reason_, ShedReason::kConnectionShare);
  for (uint64_t other = 2; other < 5; ++other) EXPECT_TRUE(Take(other));
  EXPECT_EQ(places_.taken(), 6u);
  EXPECT_FALSE(Take(5));
  EXPECT_EQ(reason_, ShedReason::kAllStreams);
  places_.GiveBack(Method::kPipeline, 2);
  EXPECT_TRUE(Take(5));
}

TEST_F(StreamPlacesTest, SubscriptionsHavePlacesOfTheirConnectionOnly) {
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Take(1, Method::kSubscribe));
  EXPECT_EQ(places_.taken(), 0u);
  EXPECT_FALSE(Take(1, Method::kSubscribe));
  EXPECT_EQ(reason_, ShedReason::kStreams);
  EXPECT_FALSE(Take(1));
  EXPECT_TRUE(Take(2));
  places_.GiveBack(Method::kSubscribe, 1);
  EXPECT_TRUE(Take(1));
  EXPECT_EQ(places_.taken(), 2u);
}

// Nobody needs a right for them, and they once took all places there were.
TEST_F(StreamPlacesTest, WatchesOfHealthLeaveHalfForOthers) {
  for (uint64_t client = 1; client < 4; ++client) EXPECT_TRUE(Take(client, Method::kHealthWatch));
  EXPECT_FALSE(Take(4, Method::kHealthWatch));
  EXPECT_EQ(reason_, ShedReason::kAllStreams);
  EXPECT_TRUE(Take(4));
  places_.GiveBack(Method::kHealthWatch, 1);
  EXPECT_TRUE(Take(5, Method::kHealthWatch));
}

TEST(SubscriberBudget, TopicsOfAConnectionTakeHalfAndLeaveRoomForOthers) {
  SubscriberBudget budget(2000);
  EXPECT_TRUE(budget.TakeTopics(budget.TopicShareOf(1), 500));
  EXPECT_FALSE(budget.TakeTopics(budget.TopicShareOf(1), 1));
  EXPECT_TRUE(budget.TakeTopics(budget.TopicShareOf(2), 200));
  EXPECT_FALSE(budget.TakeTopics(budget.TopicShareOf(3), 400)) << "more than is left";
  EXPECT_EQ(budget.topics(), 700u);
  budget.GiveBackTopics(budget.TopicShareOf(1), 500);
  EXPECT_TRUE(budget.TakeTopics(budget.TopicShareOf(3), 400));
}

TEST(SubscriberBudget, EventsThatNobodyTakesKeepNobodyFromSubscribing) {
  SubscriberBudget budget(1000);
  EXPECT_TRUE(budget.Allows(1));
  budget.Change(750);
  EXPECT_FALSE(budget.Allows(1));
  EXPECT_TRUE(budget.TakeTopics(budget.TopicShareOf(1), 125));
  EXPECT_TRUE(budget.TakeTopics(budget.TopicShareOf(2), 125));
  EXPECT_FALSE(budget.TakeTopics(budget.TopicShareOf(3), 1));
  budget.Change(5000);  // the largest, which had room when there was nothing else
  budget.GiveBackTopics(budget.TopicShareOf(1), 125);
  EXPECT_TRUE(budget.TakeTopics(budget.TopicShareOf(3), 125));
}

TEST(SubscriberBudget, EventsFindTheRoomThatTopicsLeave) {
  SubscriberBudget budget(1000);
  EXPECT_TRUE(budget.TakeTopics(budget.TopicShareOf(1), 400));
  EXPECT_TRUE(budget.Allows(5000)) << "the first always does, or none that is larger ever would";
  budget.Change(100);
  EXPECT_TRUE(budget.Allows(500));
  EXPECT_FALSE(budget.Allows(501));
}

TEST(SubscriberBudget, OneConnectionDoesNotHoldAllEvents) {
  SubscriberBudget budget(1 << 20);
  SubscriberBudget::Share* const hog = budget.ShareOf(1);
  EventShare share(hog);
  const uint64_t held = 500 << 10;
  budget.Change(held);
  share.Set(held);
  EXPECT_FALSE(budget.Allows(*hog, budget.held(), 1000));
  EXPECT_TRUE(budget.Allows(*budget.ShareOf(2), budget.held(), 1000));
  share.Set(0);
  EXPECT_EQ(hog->load(), 0u);
}

TEST(SubscriberBudget, AStreamForWhichNothingWaitsGoesBeyondThePartOfItsConnection) {
  SubscriberBudget budget(1600);
  SubscriberBudget::Share* const hog = budget.ShareOf(1);
  hog->store(700);
  budget.Change(700);
  ASSERT_FALSE(budget.Allows(*hog, budget.held(), 100));
  EXPECT_TRUE(budget.AllowsFirst(200));
  EXPECT_FALSE(budget.AllowsFirst(201)) << "what is left is for who holds nothing";
  EXPECT_TRUE(budget.Allows(*budget.ShareOf(2), budget.held(), 201));
}

Value Large(size_t bytes) {
  Value value;
  const BlockRef block(ValueBlock::Create(std::string(bytes, 'v')));
  value.Assign(block.get());
  return value;
}

TEST(KeptBlocks, CountEachOnceHoweverManyRepliesReferToIt) {
  const auto blocks = std::make_shared<KeptBlocks>();
  ReplyWriter first;
  ReplyWriter second;
  first.CountBlocksIn(blocks);
  second.CountBlocksIn(blocks);
  const Value value = Large(100'000);
  first.AppendValue(value);
  EXPECT_EQ(first.size(), 100'000u);
  EXPECT_EQ(first.uncounted_bytes(), 0u);
  second.AppendValue(value);
  EXPECT_EQ(second.uncounted_bytes(), 0u);
  EXPECT_EQ(blocks->bytes(), 100'000u);
  EXPECT_EQ(TakeBytes(&first).size(), 100'000u);
  EXPECT_EQ(blocks->bytes(), 100'000u) << "the other still refers to it";
  second.Clear();
  EXPECT_EQ(blocks->bytes(), 0u);
}

TEST(KeptBlocks, ChargeEachConnectionOnceForAsLongAsItKeepsThem) {
  const auto blocks = std::make_shared<KeptBlocks>();
  KeptBlocks::Share first_share = 0;
  KeptBlocks::Share second_share = 0;
  const Value value = Large(100'000);
  ReplyWriter first;
  first.CountBlocksIn(blocks);
  first.ChargeBlocksTo(&first_share);
  first.AppendValue(value);
  first.AppendValue(value);
  ReplyWriter second;
  second.CountBlocksIn(blocks);
  second.ChargeBlocksTo(&second_share);
  second.AppendValue(value);
  EXPECT_EQ(first_share, 100'000u);
  EXPECT_EQ(second_share, 100'000u);
  first.Clear();
  EXPECT_EQ(first_share, 0u);
  EXPECT_EQ(second_share, 100'000u) << "or it kept, uncharged, what another asked for first";
  EXPECT_EQ(blocks->bytes(), 100'000u);
  second.Clear();
  EXPECT_EQ(second_share, 0u);
  EXPECT_EQ(blocks->bytes(), 0u);
}

TEST(KeptBlocks, AreChargedToWhomTheyWereAskedForThoughTheMessageIsHeldByAnotherWriter) {
  const auto blocks = std::make_shared<KeptBlocks>();
  KeptBlocks::Share share = 0;
  KeptBlocks::Share next_share = 0;
  ReplyWriter of_thread;
  of_thread.CountBlocksIn(blocks);
  of_thread.ChargeBlocksTo(&share);
  of_thread.AppendValue(Large(100'000));
  std::memcpy(of_thread.Append(3), "end", 3);
  ReplyWriter held;  // as of a frame that waits for the reply to the one before it
  held.Swap(&of_thread);
  EXPECT_EQ(of_thread.uncounted_bytes(), 0u);
  EXPECT_EQ(held.uncounted_bytes(), 3u);
  of_thread.ChargeBlocksTo(&next_share);
  of_thread.AppendValue(Large(50'000));
  EXPECT_EQ(blocks->bytes(), 150'000u);
  of_thread.Clear();
  held.Swap(&of_thread);
  EXPECT_EQ(of_thread.uncounted_bytes(), 3u);
  EXPECT_EQ(share, 100'000u);
  EXPECT_EQ(next_share, 0u);
  of_thread.Clear();
  EXPECT_EQ(share, 0u);
  EXPECT_EQ(blocks->bytes(), 0u);
}

TEST(KeptBlocks, CountAgainstTheBudgetAndTheConnectionThatKeepsThem) {
  Admissions shared({.operations = 100, .bytes = 1 << 20});
  Gate gate(&shared);
  ReplyWriter reply;
  reply.CountBlocksIn(shared.budget.blocks());
  Passage passage;
  const auto admit = [&](uint64_t connection, Passage* into) {
    return gate.Admit(Method::kGet, gate.ShareOf(connection), 1, 0, Gate::Clock::time_point::max(),
                      into);
  };
  ASSERT_FALSE(admit(1, &passage).has_value());
  reply.ChargeBlocksTo(gate.ShareOf(1));
  reply.AppendValue(Large(600'000));
  passage.HoldReply(reply.uncounted_bytes());
  EXPECT_EQ(shared.budget.bytes(), Gate::kCallBytes + 600'000);
  Passage other;
  EXPECT_TRUE(admit(1, &other).has_value());
  EXPECT_FALSE(admit(2, &other).has_value());
  reply.Clear();
  passage.End();
  other.End();
  EXPECT_EQ(shared.budget.bytes(), 0u);
  EXPECT_EQ(gate.ShareOf(1)->load(), 0u);
}

// Two connections hold most of what all share.
class LargeReplyTest : public CallTest {
 protected:
  void LeaveLittle() {
    Gate* const gate = thread_.gate();
    for (size_t i = 0; i < others_.size(); ++i) {
      ASSERT_FALSE(gate->Admit(Method::kGet, gate->ShareOf(100 + i), 1, 0,
                               Gate::Clock::time_point::max(), &others_[i])
                       .has_value());
    }
    others_[0].HoldReply(8 << 20);
    others_[1].HoldReply(13 << 19);
  }
  // Makes and begins a call whose reply has so many bytes.
  void Reply(Method method, size_t bytes) {
    rpc_ = {method, Shape::kUnary, [bytes](Turn* turn) {
              Append(std::string(bytes, 'r'), turn->reply());
              return absl::OkStatus();
            }};
    call_.emplace(&transport_, &rpc_, &thread_);
    Begin();
    ASSERT_TRUE(transport_.finished.has_value());
  }

  std::array<Passage, 2> others_;
};

TEST_F(LargeReplyTest, IsRefusedWhereItWouldTakeTheLastOfWhatAllShare) {
  LeaveLittle();
  Reply(Method::kGet, 100'000);
  EXPECT_EQ(finished(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(transport_.finished->status), v1::OVERLOADED);
  EXPECT_THAT(std::string(transport_.finished->status.message()),
              testing::HasSubstr("--max-inflight-bytes"));
  EXPECT_FALSE(transport_.finished->trailers.empty()) << "when to come again";
  EXPECT_EQ(thread_.reply()->size(), 0u);
}

TEST_F(LargeReplyTest, SmallOnesAreLetThrough) {
  LeaveLittle();
  Reply(Method::kGet, 10'000);
  EXPECT_EQ(finished(), absl::StatusCode::kOk);
}

TEST_F(LargeReplyTest, AWriteThatWasDoneIsToldWhateverItsSize) {
  LeaveLittle();
  Reply(Method::kSet, 100'000);
  EXPECT_EQ(finished(), absl::StatusCode::kOk);
}

TEST_F(LargeReplyTest, WhoIsAloneGetsIt) {
  Reply(Method::kMGet, 15 << 20);
  EXPECT_EQ(finished(), absl::StatusCode::kOk);
}

class GraceTest : public CallTest {};

TEST_F(GraceTest, CallsThatComeWhileTheServerDrainsAreRefusedWithAReason) {
  const absl::Status drained =
      MakeError(absl::StatusCode::kUnavailable, v1::SHUTTING_DOWN, "the server shuts down");
  thread_.Drain(drained);
  Make(Shape::kUnary);
  Begin();
  EXPECT_EQ(handled_, 0);
  EXPECT_EQ(ReasonOf(transport_.finished->status), v1::SHUTTING_DOWN);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(GraceTest, ProbesAndOperatorsGetTheirAnswersWhileItDrains) {
  thread_.Drain(absl::UnavailableError("drained"));
  Make(Shape::kUnary, Method::kHealthCheck);
  Begin();
  EXPECT_TRUE(transport_.finished->status.ok());
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(GraceTest, WhatStillWaitsWhenItIsOverEndsWithAReason) {
  MakeWaiting(Shape::kUnary, {Next::kWait});
  Begin();
  thread_.Drain(absl::UnavailableError("drained"));
  EXPECT_FALSE(transport_.finished.has_value());
  thread_.EndWaits();
  ASSERT_TRUE(transport_.finished.has_value());
  EXPECT_EQ(ReasonOf(transport_.finished->status), v1::SHUTTING_DOWN);
  EXPECT_EQ(ErrorInfoOf(transport_.finished->status).metadata().at("executed"), "unknown")
      << "or clients would repeat what may have been done";
  thread_.EndWaits();  // FakeTransport minds if the call finishes again
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

}  // namespace
}  // namespace ferrite
