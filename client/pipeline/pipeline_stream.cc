#include "client/pipeline/pipeline_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/error.h"
#include "client/pipeline/frame_writer.h"

namespace ferrite {
namespace {

constexpr size_t kMaxOperationsInFrame = 1024;
constexpr size_t kMaxFrameBytes = 1 << 20;
// As many frames always leave as soon as they can: one is served while the next is on its way. A
// further one leaves when it is worth its cost.
constexpr size_t kFramesAtOnce = 2;
constexpr size_t kWorthAFrame = 64;
// Frames under way hold what is answered in this part of the time that a call may take.
constexpr int kUnderWayPart = 8;

const std::string& MethodName() {
  static const std::string* const name = new std::string("/ferrite.v1.CacheService/Pipeline");
  return *name;
}

PendingCall* CallOf(Link* link) { return static_cast<PendingCall*>(static_cast<QueueLink*>(link)); }

QueueLink* LinkOf(PendingCall* call) { return call; }

}  // namespace

void PendingCall::CancelByCaller() { stream_->Cancel(this); }

PipelineStream::PipelineStream(std::shared_ptr<Node> node, Connection* connection,
                               CompletionThread* thread, int max_frames_in_flight,
                               PipelineSupport* support)
    : node_(std::move(node)),
      connection_(*connection),
      thread_(*thread),
      support_(*support),
      max_frames_in_flight_(max_frames_in_flight),
      hopeless_(Hopeless(node_->address())) {}

void PipelineStream::Start(std::unique_ptr<PendingCall> owned) {
  const Clock::time_point now = Clock::now();
  if (owned->terms_.deadline <= now) return owned->Deliver(TooLate(*owned));
  PendingCall* const call = owned.get();
  call->stream_ = this;
  if (call->terms_.cancellation != nullptr) call->terms_.cancellation->Add(call);
  std::optional<absl::Status> refused;
  Step step;
  {
    MutexLock lock(&mutex_);
    if (closing_) {
      refused = ClientIsGone();
    } else if (call->cancelled_) {
      refused = CancelledByCaller();
    } else if (IsHopeless(*call, now)) {
      refused = hopeless_;
    } else {
      (void)owned.release();  // the stream's, from here on
      ++calls_;
      AddDeadline(call, call->terms_.deadline, now);
      Queue(call);
      step = NextStep();
    }
  }
  if (!refused.has_value()) return Take(step);
  if (call->terms_.cancellation != nullptr) call->terms_.cancellation->Remove(call);
  call->Deliver(*std::move(refused));
}

bool PipelineStream::IsHopeless(const PendingCall& call, Clock::time_point now) {
  // What leaves with the next frame, however small, is no backlog.
  if (state_ != State::kOpen || queued_ < kWorthAFrame) return false;
  return forecast_.Wait(queued_ + in_frames_, now) > (call.terms_.deadline - now) / 2;
}

void PipelineStream::Cancel(PendingCall* call) {
  MutexLock lock(&mutex_);
  if (call->cancelled_ || call->place_ == Place::kGone) return;
  call->cancelled_ = true;
  // Start() sees it, or who might try the call again.
  if (call->place_ == Place::kNew || call->place_ == Place::kAnswered) return;
  deadlines_.Hasten(call);
  SetAlarm(Clock::now());
}

void PipelineStream::Queue(PendingCall* call) {
  call->place_ = Place::kQueued;
  queue_.Append(LinkOf(call));
  ++queued_;
}

void PipelineStream::Dequeue(PendingCall* call) {
  LinkOf(call)->Unlink();
  --queued_;
}

PendingCall* PipelineStream::TakeQueued() {
  PendingCall* const call = CallOf(queue_.next());
  Dequeue(call);
  return call;
}

size_t PipelineStream::Room(Clock::time_point now) {
  const absl::Duration part = CallOf(queue_.next())->terms_.timeout / kUnderWayPart;
  const size_t room = forecast_.Room(absl::ToChronoNanoseconds(part), now);
  return room > in_frames_ ? room - in_frames_ : 0;
}

PipelineStream::Step PipelineStream::NextStep() {
  if (queued_ == 0 || closing_) return {};
  if (state_ == State::kNone) {
    if (Clock::now() < opens_at_) return {};
    state_ = State::kStarting;
    came_about_ = finished_ = distrusted_ = false;
    context_.emplace();
    return {.open = true};
  }
  if (!MayWrite()) return {};
  return {.write = TakeFrame()};
}

bool PipelineStream::MayWrite() {
  if (state_ != State::kOpen || writing_) return false;
  const size_t frames = unanswered_.size();
  if (cork_ > 0) return frames == 0 && queued_ >= cork_;
  if (frames < std::min(kFramesAtOnce, max_frames_in_flight_)) return true;
  return frames < max_frames_in_flight_ && queued_ >= kWorthAFrame &&
         Room(Clock::now()) >= kWorthAFrame;
}

const PipelineStream::Frame* PipelineStream::TakeFrame() {
  const Clock::time_point now = Clock::now();
  const size_t most = std::clamp(Room(now), kWorthAFrame, kMaxOperationsInFrame);
  const Clock::time_point answered_at = now + forecast_.Wait(in_frames_, now);
  Frame frame;
  frame.reserve(std::min(queued_, most));
  size_t bytes = 0;
  while (queued_ > 0 && frame.size() < most) {
    PendingCall* const call = CallOf(queue_.next());
    if (call->terms_.deadline < answered_at) {
      Dequeue(call);
      call->place_ = Place::kTooLate;
      continue;
    }
    bytes += BytesInFrame(*call);
    if (bytes > kMaxFrameBytes && !frame.empty()) break;
    Dequeue(call);
    call->place_ = Place::kInFrame;
    frame.push_back(call);
  }
  if (queued_ == 0) forecast_.Emptied(now);
  if (frame.empty()) return nullptr;
  writing_ = true;
  in_the_making_.store(true);
  in_frames_ += frame.size();
  return &unanswered_.emplace_back(std::move(frame));
}

void PipelineStream::Take(const Step& step) {
  if (step.open) OpenStream();
  if (step.write == nullptr) return;
  // Its calls may end meanwhile, but nothing goes before the end of the Write was seen.
  const grpc::ByteBuffer frame = WriteFrame(*step.write);
  in_the_making_.store(false);
  thread_.HandOver();
  stream_->Write(frame, static_cast<CallTag*>(&write_tag_));
}

void PipelineStream::OpenStream() {
  grpc::ClientContext* context;
  {
    MutexLock lock(&mutex_);
    context = &*context_;
  }
  stream_ = connection_.frames.PrepareCall(context, MethodName(), thread_.queue());
  grpc::GenericClientAsyncReaderWriter* const stream = stream_.get();
  thread_.HandOver();
  stream->StartCall(static_cast<CallTag*>(&start_tag_));
}

void PipelineStream::OnStarted(bool ok) {
  {
    MutexLock lock(&mutex_);
    came_about_ = ok;
    state_ = ok ? State::kOpen : State::kEnding;
    forecast_.Emptied(Clock::now());  // what has come about until now says nothing
  }
  if (ok) {
    stream_->Read(&reply_, static_cast<CallTag*>(&read_tag_));
  } else {
    stream_->Finish(&status_, static_cast<CallTag*>(&finish_tag_));
  }
}

void PipelineStream::OnWritten(bool ok) {
  bool finished;
  {
    MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok) state_ = State::kEnding;  // OnRead will learn of it, too
    finished = finished_;
  }
  if (finished) EndStream(status_);
}

void PipelineStream::OnRead(bool ok) {
  Frame frame;
  {
    MutexLock lock(&mutex_);
    if (!ok) {
      state_ = State::kEnding;
    } else if (!distrusted_ && unanswered_.size() > (in_the_making_.load() ? 1 : 0)) {
      frame = std::move(unanswered_.front());
      unanswered_.pop_front();
      in_frames_ -= frame.size();
      forecast_.Answered(frame.size());
    }
    for (PendingCall* call : frame) {
      if (call->place_ == Place::kGone) continue;
      deadlines_.Remove(call);
      call->place_ = Place::kAnswered;
    }
    cork_ = frame.size() / 2 + 1;
  }
  if (!ok) return stream_->Finish(&status_, static_cast<CallTag*>(&finish_tag_));
  grpc::ByteBuffer reply;
  reply.Swap(&reply_);
  stream_->Read(&reply_, static_cast<CallTag*>(&read_tag_));
  frame.empty() ? Distrust() : Answer(frame, reply);  // nobody asked for it
}

void PipelineStream::OnFinished(bool) {
  {
    MutexLock lock(&mutex_);
    finished_ = true;
    if (writing_) return;  // OnWritten goes on
  }
  EndStream(status_);
}

void PipelineStream::OnAlarm(bool) {
  std::vector<PendingCall*> due;
  {
    MutexLock lock(&mutex_);
    alarm_set_ = false;
    const Clock::time_point now = Clock::now();
    due = TakeDue(now);
    SetAlarm(now);
  }
  for (PendingCall* call : due) {
    const bool frame_has_it = call->place_ == Place::kGone;
    End(call, CancelledWith(*call).value_or(TooLate(*call)));
    if (!frame_has_it) delete call;
  }
}

std::vector<PendingCall*> PipelineStream::TakeDue(Clock::time_point now) {
  std::vector<PendingCall*> due = closing_ ? deadlines_.TakeAll() : deadlines_.TakeDue(now);
  std::erase_if(due, [&](PendingCall* call) {
    if (closing_ || call->cancelled_ || call->terms_.deadline <= now) return false;
    deadlines_.Add(call, call->terms_.deadline, now);
    if (call->place_ == Place::kWaiting) Queue(call);
    return true;
  });
  for (PendingCall* call : due) {
    if (call->place_ == Place::kQueued) Dequeue(call);
    call->place_ = call->place_ == Place::kInFrame ? Place::kGone : Place::kAnswered;
  }
  return due;
}

void PipelineStream::AddDeadline(PendingCall* call, Clock::time_point time, Clock::time_point now) {
  deadlines_.Add(call, time, now);
  if (!alarm_set_ || time < alarm_time_) SetAlarm(now);
}

void PipelineStream::SetAlarm(Clock::time_point now) {
  Clock::time_point next = deadlines_.empty() ? Clock::time_point::max() : deadlines_.Next();
  if (opens_at_ > now && !closing_) next = std::min(next, opens_at_);
  if (next == Clock::time_point::max()) return;
  if (!alarm_set_) {
    alarm_set_ = true;
    alarm_time_ = next;
    thread_.HandOver();
    alarm_.Set(thread_.queue(), absl::ToChronoTime(absl::Now() + absl::FromChrono(next - now)),
               static_cast<CallTag*>(&alarm_tag_));
  } else if (next < alarm_time_) {
    alarm_.Cancel();  // OnAlarm sets it anew
  }
}

void PipelineStream::Settle() {
  Step step;
  bool over;
  {
    MutexLock lock(&mutex_);
    cork_ = 0;
    calls_ -= std::exchange(calls_ended_, 0);
    step = NextStep();
    over = closing_ && calls_ == 0 && state_ == State::kNone && !alarm_set_;
  }
  Take(step);
  if (!over) return;
  over_.store(true);
  over_.notify_all();
}

void PipelineStream::Close() {
  bool over;
  {
    MutexLock lock(&mutex_);
    closing_ = true;
    if (context_.has_value()) context_->TryCancel();
    if (alarm_set_) alarm_.Cancel();  // OnAlarm ends the calls
    over = calls_ == 0 && state_ == State::kNone && !alarm_set_;
  }
  if (over) over_.store(true);
}

void PipelineStream::AwaitEnd() { over_.wait(false); }

}  // namespace ferrite
