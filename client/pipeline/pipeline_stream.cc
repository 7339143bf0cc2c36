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
                               PipelineSupport* support)
    : node_(std::move(node)),
      connection_(*connection),
      thread_(*thread),
      support_(*support),
      hopeless_(Hopeless(node_->address())),
      queue_(max_frames_in_flight) {}

void PipelineStream::Start(std::unique_ptr<PendingCall> owned) {
  PendingCall* const call = owned.get();
  call->stream_ = this;
  const Clock::time_point now = Clock::now();
  if (call->terms_.cancellation != nullptr) call->terms_.cancellation->Add(call);
  std::optional<CallQueue::EndReason> refused;
  CallQueue::Step step;
  {
    MutexLock lock(&mutex_);
    refused = queue_.Add(call, now);
    if (!refused.has_value()) {
      (void)owned.release();  // belongs to the stream from here on
      SetAlarm();
      step = NextStep(now);
    }
  }
  if (!refused.has_value()) return Take(step);
  if (call->terms_.cancellation != nullptr) call->terms_.cancellation->Remove(call);
  call->Deliver(StatusOf(*refused, *call));
}

void PipelineStream::Cancel(PendingCall* call) {
  MutexLock lock(&mutex_);
  queue_.Cancel(call);
  SetAlarm();
}

CallQueue::Step PipelineStream::NextStep(Clock::time_point now) {
  const CallQueue::Step step = queue_.NextStep(now);
  if (step.open) context_.emplace();
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
  {
    MutexLock lock(&mutex_);
    alarm_time_ = CallQueue::kNever;
    due = queue_.TakeDue(Clock::now());
    SetAlarm();
  }
  for (const auto& [call, reason, is_in_frame] : due) {
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
  {
    MutexLock lock(&mutex_);
    queue_.OnDelivered();
    queue_.NoteEnded(std::exchange(calls_ended_, 0));
    step = NextStep(Clock::now());
    over = queue_.IsOver() && alarm_time_ == CallQueue::kNever;
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
