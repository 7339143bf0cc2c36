#include "client/pipeline/pipeline_stream.h"

#include <utility>

#include "client/error.h"
#include "client/pipeline/frame_writer.h"
#include "client/steady_time.h"

namespace ferrite {
namespace {

const std::string& MethodName() {
  static const std::string* const name = new std::string("/ferrite.v1.CacheService/Pipeline");
  return *name;
}

}  // namespace

void PendingCall::CancelByCaller() { stream_->Cancel(this); }

PipelineStream::PipelineStream(std::shared_ptr<RemoteNode> node, NodeConnection* connection,
                               CompletionThread* thread, int max_frames_in_flight,
                               PipelineSupport* support, CallRouter* router, bool direct)
    : node_(std::move(node)),
      connection_(*connection),
      thread_(*thread),
      support_(*support),
      router_(*router),
      direct_(direct),
      hopeless_(Hopeless(node_->address())),
      queue_(max_frames_in_flight) {}

std::unique_ptr<PendingCall> PipelineStream::Start(std::unique_ptr<PendingCall> owned) {
  PendingCall* const call = owned.get();
  call->stream_ = this;
  const Clock::time_point now = Clock::now();
  if (call->terms_.cancellation != nullptr) call->terms_.cancellation->Add(call);
  std::optional<CallQueue::EndReason> refused;
  CallQueue::Step step;
  bool is_retired = false;
  {
    MutexLock lock(&mutex_);
    is_retired = queue_.is_retired();
    if (!is_retired) refused = queue_.Add(call, now);
    if (!is_retired && !refused.has_value()) {
      (void)owned.release();  // belongs to the stream from here on
      SetAlarm();
      step = NextStep(now);
    }
  }
  if (owned == nullptr) {
    Take(step);
    return nullptr;
  }
  if (call->terms_.cancellation != nullptr) call->terms_.cancellation->Remove(call);
  if (is_retired) return owned;
  call->Deliver(StatusOf(*refused, *call));
  return nullptr;
}

void PipelineStream::Cancel(PendingCall* call) {
  MutexLock lock(&mutex_);
  queue_.Cancel(call);
  SetAlarm();
}

CallQueue::Step PipelineStream::NextStep(Clock::time_point now) {
  const CallQueue::Step step = queue_.NextStep(now);
  if (step.open) {
    context_.emplace();
    if (direct_) context_->AddMetadata("ferrite-route", "direct");
  }
  if (step.write != nullptr) in_the_making_.store(true);
  return step;
}

void PipelineStream::Take(const CallQueue::Step& step) {
  if (step.open) OpenStream();
  if (step.write == nullptr) return;
  // Its calls may end meanwhile, but none is deleted before the Write has ended.
  const grpc::ByteBuffer frame = WriteFrame(*step.write, Clock::now());
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
    queue_.OnOpened(ok, Clock::now());
  }
  if (ok) {
    stream_->Read(&reply_, static_cast<CallTag*>(&read_tag_));
  } else {
    stream_->Finish(&status_, static_cast<CallTag*>(&finish_tag_));
  }
}

void PipelineStream::OnWritten(bool ok) {
  bool ended;
  {
    MutexLock lock(&mutex_);
    queue_.OnWritten(ok);
    ended = queue_.StreamHasEnded();
  }
  if (ended) EndStream();
}

void PipelineStream::OnRead(bool ok) {
  Frame frame;
  {
    MutexLock lock(&mutex_);
    if (ok) {
      node_->silence().NoteAnswer(Clock::now());
      frame = queue_.OnReply(in_the_making_.load());
    } else {
      queue_.OnBroken();
    }
  }
  if (!ok) return stream_->Finish(&status_, static_cast<CallTag*>(&finish_tag_));
  grpc::ByteBuffer reply;
  reply.Swap(&reply_);
  stream_->Read(&reply_, static_cast<CallTag*>(&read_tag_));
  frame.empty() ? Distrust() : Answer(frame, reply);  // nobody asked for it
}

void PipelineStream::OnFinished(bool) {
  bool ended;
  {
    MutexLock lock(&mutex_);
    queue_.OnFinished();
    ended = queue_.StreamHasEnded();
  }
  if (ended) EndStream();  // else OnWritten will
}

void PipelineStream::OnAlarm(bool) {
  std::vector<CallQueue::DueCall> due;
  Clock::time_point now;
  std::optional<Clock::time_point> awaited_since;
  {
    MutexLock lock(&mutex_);
    alarm_time_ = CallQueue::kNever;
    now = Clock::now();
    due = queue_.TakeDue(now);
    awaited_since = queue_.awaited_since();
    if (queue_.IsOverdue(now)) {
      why_given_up_ = "it has left the cache without an answer";
      context_->TryCancel();
    }
    SetAlarm();
  }
  for (const auto& [call, reason, is_in_frame] : due) {
    if (reason == CallQueue::EndReason::kLeaves) {
      Let(call);
      continue;
    }
    if (reason == CallQueue::EndReason::kTooLate && awaited_since.has_value() &&
        node_->silence().NoteUnanswered(*awaited_since, now)) {
      router_.NoteSilent(*node_);
    }
    const absl::Status status = StatusOf(reason, *call);
    is_in_frame ? DeliverAndKeep(call, status) : Deliver(call, status);
  }
}

void PipelineStream::SetAlarm() {
  const Clock::time_point due = queue_.due();
  if (due >= alarm_time_) return;
  if (alarm_time_ != CallQueue::kNever) return alarm_.Cancel();  // OnAlarm sets it anew
  alarm_time_ = due;
  thread_.HandOver();
  alarm_.Set(thread_.queue(), ToGrpc(due), static_cast<CallTag*>(&alarm_tag_));
}

void PipelineStream::Settle() {
  CallQueue::Step step;
  bool over;
  std::shared_ptr<void> owner;  // may destroy the stream when this returns
  {
    MutexLock lock(&mutex_);
    queue_.OnDelivered();
    queue_.NoteEnded(std::exchange(calls_ended_, 0));
    step = NextStep(Clock::now());
    const bool alarm_set = alarm_time_ != CallQueue::kNever;
    if (queue_.IsIdle()) context_->TryCancel();
    if (queue_.IsOver() && alarm_set) alarm_.Cancel();  // OnAlarm leads here again
    over = queue_.IsOver() && !alarm_set;
    if (over) owner = std::move(owner_);
  }
  Take(step);
  if (!over) return;
  over_.store(true);
  over_.notify_all();
}

void PipelineStream::Retire(std::shared_ptr<void> owner) {
  MutexLock lock(&mutex_);
  queue_.Retire(Clock::now());
  owner_ = std::move(owner);
  if (queue_.IsIdle()) context_->TryCancel();
  // OnAlarm lets the calls go. If there are none, the owner goes then: an event may be in progress.
  if (alarm_time_ != CallQueue::kNever) return alarm_.Cancel();
  alarm_time_ = Clock::now();
  thread_.HandOver();
  alarm_.Set(thread_.queue(), ToGrpc(alarm_time_), static_cast<CallTag*>(&alarm_tag_));
}

void PipelineStream::Close() {
  bool over;
  {
    MutexLock lock(&mutex_);
    queue_.Close();
    if (context_.has_value()) context_->TryCancel();
    const bool alarm_set = alarm_time_ != CallQueue::kNever;
    if (alarm_set) alarm_.Cancel();  // OnAlarm ends the calls
    over = queue_.IsOver() && !alarm_set;
  }
  if (over) over_.store(true);
}

void PipelineStream::AwaitEnd() { over_.wait(false); }

}  // namespace ferrite
