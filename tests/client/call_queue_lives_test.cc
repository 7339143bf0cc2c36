// Random calls in a queue, on streams that break: each of them ends exactly once.

#include <deque>
#include <random>
#include <set>

#include "tests/client/call_queue_fixture.h"

namespace ferrite {
namespace {

using std::chrono::milliseconds;
using testing::IsEmpty;

// Random calls on streams that break, with a node that is fast or slow.
class RandomLives : public CallQueueTest {
 protected:
  void Step() {
    now_ += std::chrono::microseconds(random_() % 3000);
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2:
        return Come();
      case 3:
        if (writing_) queue_->OnWritten(true);
        writing_ = false;
        break;
      case 4:
        if (open_ && !under_way_.empty()) TakeReply();
        break;
      case 5:
        if (!live_.empty()) queue_->Cancel(*std::next(live_.begin(), random_() % live_.size()));
        break;
      case 6:
        if (random_() % 50 == 0 && open_) Break();
        break;
      default:
        break;
    }
    if (queue_->due() <= now_) {
      for (const CallQueue::DueCall& due : queue_->TakeDue(now_)) EndOnce(due.call);
      EXPECT_GT(queue_->due(), now_);
    }
    Go();
  }

  void Break() {
    queue_->OnBroken();
    if (writing_) queue_->OnWritten(false);
    queue_->OnFinished();
    const CallQueue::Remains remains = queue_->EndStream(true, milliseconds(random_() % 3), now_);
    for (PendingCall* call : remains.sent) EndOrTryAgain(call);
    for (PendingCall* call : remains.unsent) EndOrTryAgain(call);
    for (PendingCall* call : remains.gone) EXPECT_EQ(live_.count(call), 0u);
    open_ = writing_ = false;
    under_way_.clear();
  }

  void Finish() {
    queue_->Close();
    for (const CallQueue::DueCall& due : queue_->TakeDue(now_)) EndOnce(due.call);
    if (open_) Break();
    EXPECT_THAT(live_, IsEmpty());
    queue_->NoteEnded(ended_);
    EXPECT_TRUE(queue_->IsOver());
  }

 private:
  void Come() {
    for (uint32_t count = random_() % 100; count > 0; --count) {
      QueuedCall* const call = NewCall(milliseconds(1 + random_() % 200));
      if (!queue_->Add(call, now_).has_value()) live_.insert(call);
    }
    Go();
  }
  void Go() {
    const CallQueue::Step step = queue_->NextStep(now_);
    if (step.open) {
      EXPECT_FALSE(open_);
      open_ = true;
      queue_->OnOpened(true, now_);
      return Go();
    }
    if (step.write == nullptr) return;
    EXPECT_FALSE(writing_);
    writing_ = true;
    for (PendingCall* call : *step.write) EXPECT_EQ(live_.count(call), 1u);
    under_way_.push_back(*step.write);
    EXPECT_LE(under_way_.size(), 8u);
  }
  void TakeReply() {
    const Frame frame = queue_->OnReply(false);
    EXPECT_EQ(frame, under_way_.front());
    under_way_.pop_front();
    for (PendingCall* call : frame) {
      if (call->is_gone()) continue;
      EndOrTryAgain(call);
    }
    queue_->OnDelivered();
  }
  void EndOrTryAgain(PendingCall* call) {
    const auto delay = milliseconds(random_() % 20);
    const bool lives_on = random_() % 4 == 0 && now_ + delay < call->terms().deadline;
    if (lives_on && queue_->AddAgain(call, delay, /*leaves=*/false, now_)) return;
    EndOnce(call);
  }
  void EndOnce(PendingCall* call) {
    EXPECT_EQ(live_.erase(call), 1u);
    ++ended_;
  }

  std::mt19937 random_{20261201};
  std::set<PendingCall*> live_;
  size_t ended_ = 0;
  bool open_ = false;
  bool writing_ = false;
  std::deque<Frame> under_way_;
};

TEST_F(RandomLives, EveryCallEndsExactlyOnce) {
  for (int i = 0; i < 20'000; ++i) {
    Step();
    ASSERT_FALSE(HasFailure()) << "step " << i;
  }
  Finish();
}

}  // namespace
}  // namespace ferrite
