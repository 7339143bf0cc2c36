#include "client/pipeline/call_queue.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "proto/wire/frame_operation.h"

namespace ferrite {
namespace {

constexpr size_t kMaxOperationsInFrame = 1024;
constexpr size_t kMaxFrameBytes = 1 << 20;
// This many frames leave as soon as they can: the server works on one while the next one travels. A
// further one leaves when it is worth its cost.
constexpr size_t kFramesAtOnce = 2;
constexpr size_t kWorthAFrame = 64;
// Frames under way hold what is answered in this part of a call's timeout.
constexpr int kUnderWayPart = 8;
// A server may ask its clients to stay away for longer, but it may have been replaced by then.
constexpr std::chrono::minutes kLongestPause(1);
// What was sent to a node that has left the cache is answered within this time, or never.
constexpr std::chrono::seconds kRetirement(2);

PendingCall* CallOf(Link* link) { return static_cast<PendingCall*>(static_cast<QueueLink*>(link)); }

QueueLink* LinkOf(PendingCall* call) { return call; }

}  // namespace

std::optional<CallQueue::EndReason> CallQueue::Add(PendingCall* call, Time now) {
  if (call->terms_.deadline <= now) return EndReason::kTooLate;
  if (const std::optional<EndReason> withdrawn = Withdrawn(*call)) return withdrawn;
  if (IsHopeless(*call, now)) return EndReason::kHopeless;
  ++calls_;
  AddDeadline(call, call->terms_.deadline, now);
  Enqueue(call);
  return std::nullopt;
}

bool CallQueue::IsHopeless(const PendingCall& call, Time now) {
  // Calls that fit into the next frame are no backlog.
  if (state_ != State::kOpen || queued_ < kWorthAFrame) return false;
  return forecast_.Wait(queued_ + in_frames_, now) > (call.terms_.deadline - now) / 2;
}

bool CallQueue::AddAgain(PendingCall* call, Duration delay, bool leaves, Time now) {
  if (Withdrawn(*call).has_value()) return false;
  call->place_ = Place::kWaiting;
  call->leaves_ = leaves;
  AddDeadline(call, now + delay, now);
  return true;
}

void CallQueue::Cancel(PendingCall* call) {
  if (call->cancelled_ || call->place_ == Place::kGone) return;
  call->cancelled_ = true;
  // Add() or AddAgain() will see the flag.
  if (call->place_ == Place::kNew || call->place_ == Place::kAnswered) return;
  deadlines_.Hasten(call);
  due_ = Time();
}

std::optional<CallQueue::EndReason> CallQueue::Withdrawn(const PendingCall& call) const {
  if (closing_) return EndReason::kClientIsGone;
  if (call.cancelled_) return EndReason::kCancelled;
  return std::nullopt;
}

void CallQueue::Enqueue(PendingCall* call) {
  call->place_ = Place::kQueued;
  queue_.Append(LinkOf(call));
  ++queued_;
}

void CallQueue::Dequeue(PendingCall* call) {
  LinkOf(call)->Unlink();
  --queued_;
}

PendingCall* CallQueue::front() { return CallOf(queue_.next()); }

void CallQueue::AddDeadline(PendingCall* call, Time time, Time now) {
  due_ = std::min(due_, deadlines_.Add(call, time, now));
}

void CallQueue::TakeOut(PendingCall* call) {
  deadlines_.Remove(call);
  call->place_ = Place::kAnswered;
}

size_t CallQueue::Room(Time now) {
  const absl::Duration part = front()->terms_.timeout / kUnderWayPart;
  const size_t room = forecast_.Room(absl::ToChronoNanoseconds(part), now);
  return room > in_frames_ ? room - in_frames_ : 0;
}

CallQueue::Step CallQueue::NextStep(Time now) {
  if (queued_ == 0 || closing_ || retired_) return {};
  if (state_ == State::kNone) {
    if (now < opens_at_) return {};
    state_ = State::kOpening;
    came_about_ = finished_ = distrusted_ = false;
    return {.open = true};
  }
  if (!MayWrite(now)) return {};
  return {.write = TakeFrame(now)};
}

bool CallQueue::MayWrite(Time now) {
  if (state_ != State::kOpen || writing_) return false;
  const size_t frames = unanswered_.size();
  if (cork_ > 0) return frames == 0 && queued_ >= cork_;
  if (frames < std::min(kFramesAtOnce, max_frames_in_flight_)) return true;
  return frames < max_frames_in_flight_ && queued_ >= kWorthAFrame && Room(now) >= kWorthAFrame;
}

const CallQueue::Frame* CallQueue::TakeFrame(Time now) {
  const size_t most = std::clamp(Room(now), kWorthAFrame, kMaxOperationsInFrame);
  const Time answered_at = now + forecast_.Wait(in_frames_, now);
  Frame frame;
  frame.reserve(std::min(queued_, most));
  size_t bytes = 0;
  while (queued_ > 0 && frame.size() < most) {
    PendingCall* const call = front();
    if (call->terms_.deadline < answered_at) {
      Dequeue(call);
      call->place_ = Place::kTooLate;
      continue;
    }
    bytes += OperationInFrameSize(call->field(), call->request_bytes());
    if (bytes > kMaxFrameBytes && !frame.empty()) break;
    Dequeue(call);
    call->place_ = Place::kInFrame;
    frame.push_back(call);
  }
  if (queued_ == 0) forecast_.Emptied(now);
  if (frame.empty()) return nullptr;
  writing_ = true;
  in_frames_ += frame.size();
  if (unanswered_.empty()) awaited_since_ = now;
  return &unanswered_.emplace_back(std::move(frame));
}

void CallQueue::OnOpened(bool ok, Time now) {
  came_about_ = ok;
  state_ = ok ? State::kOpen : State::kEnding;
  forecast_.Emptied(now);  // earlier measurements do not apply
}

void CallQueue::OnWritten(bool ok) {
  writing_ = false;
  if (!ok) state_ = State::kEnding;  // the read will fail, too
}

CallQueue::Frame CallQueue::OnReply(bool last_is_unsent) {
  Frame frame;
  if (!distrusted_ && unanswered_.size() > (last_is_unsent ? 1 : 0)) {
    frame = std::move(unanswered_.front());
    unanswered_.pop_front();
    in_frames_ -= frame.size();
    forecast_.Answered(frame.size());
  }
  for (PendingCall* call : frame) {
    if (call->place_ != Place::kGone) TakeOut(call);
  }
  cork_ = frame.size() / 2 + 1;
  return frame;
}

void CallQueue::OnDistrusted() {
  distrusted_ = true;
  state_ = State::kEnding;
}

CallQueue::Remains CallQueue::EndStream(bool knows_frames, Duration pause, Time now) {
  Remains remains;
  for (const Frame& frame : std::exchange(unanswered_, {})) {
    for (PendingCall* call : frame) {
      const bool is_gone = call->place_ == Place::kGone;
      if (!is_gone) TakeOut(call);
      (is_gone ? remains.gone : remains.sent).push_back(call);
    }
  }
  in_frames_ = 0;
  while (queued_ > 0 && (!came_about_ || !knows_frames)) {
    PendingCall* const call = front();
    Dequeue(call);
    TakeOut(call);
    remains.unsent.push_back(call);
  }
  state_ = State::kNone;
  if (pause > Duration::zero() && !closing_ && !retired_) {
    opens_at_ = now + std::min<Duration>(pause, kLongestPause);
    due_ = std::min(due_, opens_at_);
  }
  return remains;
}

std::vector<CallQueue::DueCall> CallQueue::TakeDue(Time now) {
  std::vector<DueCall> ending;
  for (PendingCall* call : closing_ ? deadlines_.TakeAll() : deadlines_.TakeDue(now)) {
    const std::optional<EndReason> withdrawn = Withdrawn(*call);
    if (!withdrawn.has_value() && call->terms_.deadline > now) {
      if (call->place_ == Place::kWaiting && (call->leaves_ || retired_)) {
        call->place_ = Place::kNew;
        ending.push_back({call, EndReason::kLeaves, /*is_in_frame=*/false});
        continue;
      }
      AddDeadline(call, call->terms_.deadline, now);
      if (call->place_ == Place::kWaiting) Enqueue(call);
      continue;
    }
    const bool is_in_frame = call->place_ == Place::kInFrame;
    if (call->place_ == Place::kQueued) Dequeue(call);
    call->place_ = is_in_frame ? Place::kGone : Place::kAnswered;
    ending.push_back({call, withdrawn.value_or(EndReason::kTooLate), is_in_frame});
  }
  due_ = deadlines_.empty() ? kNever : deadlines_.Next();
  if (IsOverdue(ends_at_) && ends_at_ > now) due_ = std::min(due_, ends_at_);
  if (opens_at_ > now && !closing_) due_ = std::min(due_, opens_at_);
  return ending;
}

void CallQueue::Retire(Time now) {
  retired_ = true;
  opens_at_ = Time();  // none opens any more
  ends_at_ = now + kRetirement;
  due_ = std::min(due_, ends_at_);
  while (queued_ > 0) {
    PendingCall* const call = front();
    Dequeue(call);
    call->place_ = Place::kWaiting;
    deadlines_.Hasten(call);
    due_ = Time();
  }
}

void CallQueue::Close() {
  closing_ = true;
  due_ = deadlines_.empty() ? kNever : Time();
}

}  // namespace ferrite
