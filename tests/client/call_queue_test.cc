// Which calls leave with which frame, wait, are refused or end: the queue alone, with made-up
// times.

#include "tests/client/call_queue_fixture.h"

namespace ferrite {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(CallQueueTest, TheFirstCallOpensTheStreamAndLeavesWhenItIsOpen) {
  QueuedCall* const call = Add();
  EXPECT_TRUE(queue_->NextStep(now_).open);
  QueuedCall* const another = Add();
  EXPECT_THAT(Leaving(), IsEmpty());
  queue_->OnOpened(true, now_);
  EXPECT_THAT(Leaving(), ElementsAre(call, another));
}

TEST_F(CallQueueTest, CallsGatherWhileAFrameIsWritten) {
  Open();
  QueuedCall* const first = Add();
  EXPECT_THAT(Leaving(), ElementsAre(first));
  QueuedCall* const second = Add();
  QueuedCall* const third = Add();
  EXPECT_THAT(Leaving(), IsEmpty());
  queue_->OnWritten(true);
  EXPECT_THAT(Leaving(), ElementsAre(second, third));
}

TEST_F(CallQueueTest, AThirdFrameLeavesOnlyWhenItIsWorthIt) {
  Open();
  for (int frame = 0; frame < 2; ++frame) {
    Add();
    EXPECT_THAT(Written(), SizeIs(1));
  }
  AddMany(kWorthAFrame - 1);
  EXPECT_THAT(Written(), IsEmpty());
  Add();
  EXPECT_THAT(Written(), SizeIs(kWorthAFrame));
  Add();
  EXPECT_THAT(Written(), IsEmpty());
  EXPECT_THAT(Answered(), SizeIs(1));
  EXPECT_THAT(Written(), IsEmpty());
  EXPECT_THAT(Answered(), SizeIs(1));
  EXPECT_THAT(Written(), SizeIs(1));
}

TEST_F(CallQueueTest, NoMoreFramesAreUnderWayThanAllowed) {
  queue_.emplace(3);
  Open();
  for (int frame = 0; frame < 3; ++frame) {
    AddMany(kWorthAFrame);
    EXPECT_THAT(Written(), SizeIs(kWorthAFrame));
  }
  AddMany(10 * kWorthAFrame);
  EXPECT_THAT(Written(), IsEmpty());
  Answered();
  EXPECT_THAT(Written(), SizeIs(10 * kWorthAFrame));

  queue_.emplace(1);
  Open();
  AddMany(1);
  EXPECT_THAT(Written(), SizeIs(1));
  AddMany(1);
  EXPECT_THAT(Written(), IsEmpty());
}

TEST_F(CallQueueTest, AFrameHasUpTo1024Operations) {
  Open();
  AddMany(1025);
  EXPECT_THAT(Written(), SizeIs(1024));
  EXPECT_THAT(Written(), SizeIs(1));
}

TEST_F(CallQueueTest, AFrameHasUpToAMebibyteOrOneCall) {
  Open();
  for (int i = 0; i < 20; ++i) Add(seconds(10), 60'000);
  EXPECT_THAT(Written(), SizeIs(17));
  EXPECT_THAT(Written(), SizeIs(3));
  Answered();
  Answered();
  Add(seconds(10), 2 << 20);
  Add();
  EXPECT_THAT(Written(), SizeIs(1));
  EXPECT_THAT(Written(), SizeIs(1));
}

TEST_F(CallQueueTest, AReplyAnswersTheOldestFrame) {
  Open();
  QueuedCall* const first = Add();
  Written();
  QueuedCall* const second = Add();
  Written();
  EXPECT_THAT(Answered(), ElementsAre(first));
  EXPECT_THAT(Answered(), ElementsAre(second));
  EXPECT_THAT(Answered(), IsEmpty());
}

TEST_F(CallQueueTest, AFrameThatWasNotSentIsNotAnswered) {
  Open();
  QueuedCall* const call = Add();
  EXPECT_THAT(Leaving(), SizeIs(1));
  EXPECT_THAT(queue_->OnReply(/*last_is_unsent=*/true), IsEmpty());
  EXPECT_THAT(queue_->OnReply(/*last_is_unsent=*/false), ElementsAre(call));
}

TEST_F(CallQueueTest, NothingIsAnsweredOrSentOnceRepliesAreDistrusted) {
  Open();
  QueuedCall* const call = Add();
  Written();
  queue_->OnDistrusted();
  EXPECT_THAT(Answered(), IsEmpty());
  Add();
  EXPECT_THAT(Leaving(), IsEmpty());
  EXPECT_THAT(End().sent, ElementsAre(call));
}

TEST_F(CallQueueTest, CallsOfCallbacksLeaveTogether) {
  Open();
  AddMany(10);
  Written();
  EXPECT_THAT(queue_->OnReply(false), SizeIs(10));
  AddMany(5);
  EXPECT_THAT(Leaving(), IsEmpty());
  queue_->OnDelivered();
  EXPECT_THAT(Leaving(), SizeIs(5));
}

TEST_F(CallQueueTest, ManyCallsOfCallbacksDoNotKeepAnIdleNodeWaiting) {
  Open();
  AddMany(10);
  Written();
  EXPECT_THAT(queue_->OnReply(false), SizeIs(10));
  AddMany(6);
  EXPECT_THAT(Written(), SizeIs(6));
  AddMany(6);
  EXPECT_THAT(Written(), IsEmpty());  // it is busy now
}

TEST_F(CallQueueTest, ACallWhoseDeadlineHasPassedIsRefused) {
  EXPECT_EQ(queue_->Add(NewCall(seconds(0)), now_), EndReason::kTooLate);
  EXPECT_EQ(queue_->due(), CallQueue::kNever);
}

TEST_F(CallQueueTest, DeadlinesMeetCallsInTheQueueAndInAFrame) {
  Open();
  QueuedCall* const in_frame = Add(milliseconds(30));
  QueuedCall* const beside = Add();
  EXPECT_THAT(Leaving(), ElementsAre(in_frame, beside));
  QueuedCall* const in_queue = Add(milliseconds(20));
  QueuedCall* const patient = Add();
  now_ += milliseconds(19);
  EXPECT_GT(queue_->due(), now_);
  EXPECT_THAT(Due(), IsEmpty());
  now_ += milliseconds(1);
  EXPECT_LE(queue_->due(), now_);
  EXPECT_THAT(Due(), ElementsAre(std::pair(in_queue, EndReason::kTooLate)));
  now_ += milliseconds(10);
  EXPECT_LE(queue_->due(), now_);
  const std::vector<CallQueue::DueCall> due = queue_->TakeDue(now_);
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due[0].call, in_frame);
  EXPECT_TRUE(due[0].is_in_frame);
  queue_->OnWritten(true);
  EXPECT_THAT(Written(), ElementsAre(patient));
  // Its place in the frame stays.
  EXPECT_THAT(Answered(), ElementsAre(in_frame, beside));
  EXPECT_TRUE(in_frame->is_gone());
  EXPECT_FALSE(beside->is_gone());
}

TEST_F(CallQueueTest, ACallThatWouldBeAnsweredTooLateIsNotSent) {
  queue_.emplace(2);
  Open();
  AddMany(2048);
  EXPECT_THAT(Written(), SizeIs(1024));
  EXPECT_THAT(Written(), SizeIs(1024));
  QueuedCall* const patient = Add();
  QueuedCall* const brief = Add(milliseconds(150));
  now_ += milliseconds(100);  // for one frame, so the other one will be answered after 200 ms
  EXPECT_THAT(Answered(), SizeIs(1024));
  EXPECT_THAT(Written(), ElementsAre(patient));
  EXPECT_THAT(Due(), IsEmpty());
  now_ += milliseconds(50);
  EXPECT_THAT(Due(), ElementsAre(std::pair(brief, EndReason::kTooLate)));
}

TEST_F(CallQueueTest, ACallThatHasNoChanceIsRefused) {
  MakeBusy(/*per_second=*/1000, seconds(10));
  AddMany(kWorthAFrame, seconds(10));
  EXPECT_EQ(queue_->Add(NewCall(milliseconds(100)), now_), EndReason::kHopeless);
  EXPECT_EQ(queue_->Add(NewCall(seconds(10)), now_), std::nullopt);
}

TEST_F(CallQueueTest, FramesUnderWayHoldWhatIsAnsweredInAnEighthOfACallsTime) {
  MakeBusy(/*per_second=*/10'000, seconds(1));
  AddMany(3000, seconds(1));
  size_t under_way = 0;
  while (true) {
    const Frame frame = Written();
    if (frame.empty()) break;
    under_way += frame.size();
  }
  EXPECT_LT(under_way, 1400u);  // 1250 and the error of the forecast
  EXPECT_GT(under_way, 500u);
}

TEST_F(CallQueueTest, CancellationMeetsCallsWhereverTheyAre) {
  Open();
  QueuedCall* const in_frame = Add();
  Written();
  AddMany(1);
  Written();
  QueuedCall* const in_queue = Add();
  QueuedCall* const waiting = NewCall();
  ASSERT_TRUE(queue_->AddAgain(waiting, seconds(5), /*leaves=*/false, now_));
  QueuedCall* const not_added = NewCall();
  for (QueuedCall* call : {in_frame, in_queue, waiting, not_added}) {
    queue_->Cancel(call);
    queue_->Cancel(call);
  }
  EXPECT_LE(queue_->due(), now_);
  EXPECT_THAT(Due(), testing::UnorderedElementsAre(std::pair(in_frame, EndReason::kCancelled),
                                                   std::pair(in_queue, EndReason::kCancelled),
                                                   std::pair(waiting, EndReason::kCancelled)));
  EXPECT_EQ(queue_->Add(not_added, now_), EndReason::kCancelled);
  EXPECT_THAT(Written(), IsEmpty());
  queue_->Cancel(in_frame);  // late, but harmless
  EXPECT_THAT(Answered(), ElementsAre(in_frame));
}

TEST_F(CallQueueTest, ACallThatIsCancelledWhileItIsAnsweredIsNotTriedAgain) {
  Open();
  QueuedCall* const call = Add();
  Written();
  EXPECT_THAT(Answered(), ElementsAre(call));
  EXPECT_EQ(queue_->Withdrawn(*call), std::nullopt);
  queue_->Cancel(call);
  EXPECT_EQ(queue_->Withdrawn(*call), EndReason::kCancelled);
  EXPECT_FALSE(queue_->AddAgain(call, milliseconds(5), /*leaves=*/false, now_));
  EXPECT_THAT(Due(), IsEmpty());
}

TEST_F(CallQueueTest, ACallThatIsTriedAgainWaitsAndQueues) {
  Open();
  QueuedCall* const call = Add();
  Written();
  Answered();
  ASSERT_TRUE(queue_->AddAgain(call, milliseconds(50), /*leaves=*/false, now_));
  EXPECT_THAT(Leaving(), IsEmpty());
  now_ += milliseconds(50);
  EXPECT_LE(queue_->due(), now_);
  EXPECT_THAT(Due(), IsEmpty());
  EXPECT_THAT(Written(), ElementsAre(call));
  now_ = call->terms().deadline;
  EXPECT_THAT(Due(), SizeIs(1));
}

TEST_F(CallQueueTest, ACallThatLeavesComesOutWhenItsPauseIsOver) {
  Open();
  QueuedCall* const call = Add();
  Written();
  Answered();
  ASSERT_TRUE(queue_->AddAgain(call, milliseconds(50), /*leaves=*/true, now_));
  now_ += milliseconds(50);
  const auto due = Due();
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due.begin()->second, EndReason::kLeaves);
  EXPECT_THAT(Leaving(), IsEmpty());
  EXPECT_EQ(queue_->Add(call, now_), std::nullopt);  // as another queue would take it
  EXPECT_THAT(Written(), ElementsAre(call));
}

TEST_F(CallQueueTest, OfARetiredQueueOnlyWhatWasSentStays) {
  Open();
  QueuedCall* const in_frame = Add();
  Written();
  QueuedCall* const other_in_frame = Add();
  Written();
  QueuedCall* const queued = Add();  // two frames are under way
  EXPECT_THAT(Leaving(), IsEmpty());
  queue_->NoteEnded(1);  // that of Open()
  queue_->Retire(now_);
  EXPECT_TRUE(queue_->is_retired());
  EXPECT_FALSE(queue_->IsOverdue(now_));
  EXPECT_TRUE(queue_->IsOverdue(now_ + seconds(2)));
  const auto due = Due();
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due.begin()->first, queued);
  EXPECT_EQ(due.begin()->second, EndReason::kLeaves);
  queue_->NoteEnded(1);
  EXPECT_THAT(Answered(), ElementsAre(in_frame));
  queue_->NoteEnded(1);
  EXPECT_FALSE(queue_->IsIdle());
  // What fails is tried elsewhere.
  EXPECT_THAT(Answered(), ElementsAre(other_in_frame));
  ASSERT_TRUE(queue_->AddAgain(other_in_frame, milliseconds(5), /*leaves=*/false, now_));
  now_ += milliseconds(5);
  EXPECT_EQ(Due()[other_in_frame], EndReason::kLeaves);
  queue_->NoteEnded(1);
  EXPECT_TRUE(queue_->IsIdle());
  EXPECT_FALSE(queue_->IsOver());
  End();
  EXPECT_TRUE(queue_->IsOver());
}

// An alarm that is set again each time would keep a processor busy.
TEST_F(CallQueueTest, ARetiredQueueWaitsForNoStream) {
  for (const bool retires_first : {true, false}) {
    queue_.emplace(8);
    Open();
    Add();
    Written();
    if (retires_first) queue_->Retire(now_);
    EXPECT_THAT(End(/*knows_frames=*/true, seconds(30)).sent, SizeIs(1));
    queue_->NoteEnded(2);
    if (!retires_first) {
      EXPECT_NE(queue_->due(), CallQueue::kNever);
      queue_->Retire(now_);
    }
    ASSERT_TRUE(queue_->IsOver());
    EXPECT_THAT(Due(), IsEmpty());
    EXPECT_EQ(queue_->due(), CallQueue::kNever) << retires_first;
  }
}

TEST_F(CallQueueTest, KnowsSinceWhenAnAnswerIsDue) {
  Open();
  Add();
  now_ += seconds(1);
  Written();
  const CallQueue::Time since = now_;
  now_ += seconds(1);
  Add();
  Written();
  EXPECT_EQ(queue_->awaited_since(), since);
  Answered();
  Answered();
  EXPECT_EQ(queue_->awaited_since(), std::nullopt);
  now_ += seconds(1);
  Add();
  Written();
  EXPECT_EQ(queue_->awaited_since(), now_);
}

TEST_F(CallQueueTest, WhenAStreamBreaksWhatWasSentComesOutAndTheRestAwaitsTheNext) {
  Open();
  QueuedCall* const first = Add(seconds(1));
  QueuedCall* const second = Add();
  Written();
  QueuedCall* const third = Add();
  Written();
  QueuedCall* const queued = Add();
  now_ += seconds(1);
  EXPECT_THAT(Due(), SizeIs(1));
  const CallQueue::Remains remains = End();
  EXPECT_THAT(remains.gone, ElementsAre(first));
  EXPECT_THAT(remains.sent, ElementsAre(second, third));
  EXPECT_THAT(remains.unsent, IsEmpty());
  EXPECT_TRUE(queue_->NextStep(now_).open);
  queue_->OnOpened(true, now_);
  EXPECT_THAT(Written(), ElementsAre(queued));
}

TEST_F(CallQueueTest, WhenAStreamNeverOpensItsCallsComeOut) {
  QueuedCall* const call = Add();
  EXPECT_TRUE(queue_->NextStep(now_).open);
  queue_->OnOpened(false, now_);
  QueuedCall* const another = Add();
  EXPECT_THAT(Leaving(), IsEmpty());
  const CallQueue::Remains remains = End();
  EXPECT_THAT(remains.unsent, ElementsAre(call, another));
  EXPECT_THAT(remains.sent, IsEmpty());
  now_ += hours(1);
  EXPECT_THAT(Due(), IsEmpty());
}

TEST_F(CallQueueTest, OfAServerThatKnowsNoFramesAllCallsComeOut) {
  Open();
  QueuedCall* const sent = Add();
  Leaving();
  QueuedCall* const unsent = Add();
  queue_->OnWritten(false);
  const CallQueue::Remains remains = End(/*knows_frames=*/false);
  EXPECT_THAT(remains.sent, ElementsAre(sent));
  EXPECT_THAT(remains.unsent, ElementsAre(unsent));
}

TEST_F(CallQueueTest, AStreamStaysUntilItsWriteHasEnded) {
  Open();
  Add();
  Leaving();
  queue_->OnBroken();
  EXPECT_FALSE(queue_->StreamHasEnded());
  queue_->OnFinished();
  EXPECT_FALSE(queue_->StreamHasEnded());
  queue_->OnWritten(false);
  EXPECT_TRUE(queue_->StreamHasEnded());
}

TEST_F(CallQueueTest, TheNextStreamOpensWhenTheServerWantsItTo) {
  Open();
  End(/*knows_frames=*/true, seconds(5));
  const CallQueue::Time opens_at = now_ + seconds(5);
  Add(seconds(100));
  EXPECT_FALSE(queue_->NextStep(now_).open);
  EXPECT_EQ(queue_->due(), opens_at);
  now_ = opens_at - milliseconds(1);
  EXPECT_THAT(Due(), IsEmpty());
  EXPECT_EQ(queue_->due(), opens_at);
  EXPECT_FALSE(queue_->NextStep(now_).open);
  now_ = opens_at;
  EXPECT_THAT(Due(), IsEmpty());
  EXPECT_TRUE(queue_->NextStep(now_).open);
}

TEST_F(CallQueueTest, AServerKeepsItsClientsAwayForAMinuteAtMost) {
  Open();
  End(/*knows_frames=*/true, hours(24));
  Add(hours(1));
  now_ += minutes(1);
  EXPECT_TRUE(queue_->NextStep(now_).open);
}

TEST_F(CallQueueTest, ClosingEndsEveryCall) {
  Open();
  QueuedCall* const in_frame = Add();
  Written();
  AddMany(1);
  Written();
  QueuedCall* const in_queue = Add();
  queue_->Close();
  EXPECT_LE(queue_->due(), now_);
  EXPECT_EQ(queue_->Add(NewCall(), now_), EndReason::kClientIsGone);
  EXPECT_THAT(Leaving(), IsEmpty());
  const auto due = Due();
  EXPECT_THAT(due, SizeIs(3));
  EXPECT_EQ(due.at(in_frame), EndReason::kClientIsGone);
  EXPECT_EQ(due.at(in_queue), EndReason::kClientIsGone);
  EXPECT_FALSE(queue_->AddAgain(in_queue, milliseconds(1), /*leaves=*/false, now_));
  EXPECT_EQ(queue_->due(), CallQueue::kNever);
  queue_->NoteEnded(calls_.size() - 1);  // all but the one that was refused
  EXPECT_FALSE(queue_->IsOver());
  EXPECT_THAT(End().gone, SizeIs(2));
  EXPECT_TRUE(queue_->IsOver());
}

TEST_F(CallQueueTest, OneThatWasNotUsedIsOverAtOnce) {
  queue_->Close();
  EXPECT_TRUE(queue_->IsOver());
  EXPECT_EQ(queue_->due(), CallQueue::kNever);
}

}  // namespace
}  // namespace ferrite
