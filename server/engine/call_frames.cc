// Of a Call, what only streams of frames do: taking them up one after the other, and some beside
// the one that waits.

#include <utility>

#include "server/engine/call.h"

namespace ferrite {
namespace {

// Of a frame that was answered at once, but after others that have no reply yet.
class HeldAnswer final : public Answer {
 public:
  HeldAnswer(ReplyWriter* message, CallEnd end) : end_(std::move(end)) { message_.Swap(message); }

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    message_.Swap(message);
    *end = std::move(end_);
    return Next::kEnd;
  }

 private:
  ReplyWriter message_;
  CallEnd end_;
};

}  // namespace

void Call::BeginFrames() {
  transport_.TakeNext();
  end_.status = CheckDeadline();
  if (end_.status.ok()) end_.status = CheckDrained();
  if (end_.status.ok()) end_.status = TakePlace();
  if (!end_.status.ok()) {
    AddPushbackIfAny();
    return Finish();
  }
  Open();
  reading_ = true;
  transport_.StartRead();
  AdvanceFrames();
}

void Call::AdvanceFrames() {
  if (state_ != State::kOpen || gone_ || thread_.closed()) return ReleaseIfOver();
  if (writing_ || answer_ != nullptr) {
    while (MayTakeLaterFrame()) TakeLaterFrame();
    return;
  }
  if (broken_) {
    end_.status = absl::CancelledError();
  } else if (!thread_.drained().ok()) {
    end_.status = thread_.drained();
  } else if (has_frame_) {
    has_frame_ = false;
    return TakeTurn();
  } else if (reading_) {
    return;
  }
  Finish();
}

void Call::AdmitAhead() {
  end_ = {};
  end_.status = Pass(&passage_ahead_);
  passage_ahead_.Wait();
  if (!end_.status.ok()) transport_.ForgetRequest();
  ahead_ = std::exchange(end_, {});
}

bool Call::MayTakeLaterFrame() const {
  return has_frame_ && beside_ && !broken_ && state_ == State::kOpen && thread_.drained().ok() &&
         later_frames_.size() + 1 < kMostFrames &&
         later_bytes_ + transport_.request().size() <= kMostLaterBytes;
}

void Call::TakeLaterFrame() {
  has_frame_ = false;
  const CallStep step(thread_.wait(), meter_->counters());
  ReplyWriter* const reply = thread_.reply();
  LaterFrame frame;
  CallEnd end = std::move(*ahead_);
  ahead_.reset();
  frame.passage = std::move(passage_ahead_);
  frame.passage.Resume();
  Answer::Next next = Answer::Next::kEnd;
  frame.bytes = transport_.request().size();
  frame.request = transport_.TakeRequest();
  if (end.status.ok()) {
    reply->ChargeBlocksTo(share_);
    Turn turn(*frame.request, received_at_, transport_, reply, this);
    end.status = rpc_.handler(&turn);
    if (end.status.ok()) frame.answer = turn.TakeAnswer();
    if (frame.answer != nullptr) next = frame.answer->Advance(reply, &end);
  }
  beside_ = end.status.ok() && (next == Answer::Next::kEnd || next == Answer::Next::kWaitBeside);
  if (next == Answer::Next::kEnd) {
    frame.passage.HoldReply(reply->uncounted_bytes());
    frame.bytes += reply->size();
    frame.answer = std::make_unique<HeldAnswer>(reply, std::move(end));
  }
  frame.passage.Wait();
  keys_ += step.keys();
  frame.times = step.Executed();
  times_ += frame.times;
  later_bytes_ += frame.bytes;
  later_frames_.push_back(std::move(frame));
  ReadBeside();
  step.Started();
}

void Call::TakeUpLaterFrame() {
  LaterFrame& next = later_frames_.front();
  later_bytes_ -= next.bytes;
  request_ = std::move(next.request);
  passage_ = std::move(next.passage);
  turn_times_ = next.times;
  answer_ = std::move(next.answer);
  end_ = {};
  later_frames_.pop_front();
  Advance();
}

void Call::ReadBeside() {
  if (!beside_ || !thread_.gate()->HasPlenty()) return;
  if (answer_ != nullptr && request_ == nullptr) request_ = transport_.TakeRequest();
  ReadOn();
}

void Call::ReadOn() {
  if (reading_ || has_frame_ || ended_) return;
  reading_ = true;
  transport_.StartRead();
}

}  // namespace ferrite
