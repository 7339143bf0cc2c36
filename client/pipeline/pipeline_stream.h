#pragma once

// The Pipeline stream of one connection and the calls that travel on it. CallQueue makes the
// decisions; this drives it with a gRPC stream and an alarm.
//
// The life of a call:
// 1. Start(): the call queues. If a frame may leave, the starting thread itself writes it: a lone
//    call leaves at once.
// 2. Otherwise the frame fills until the previous Write has ended (OnWritten), a reply has come
//    (OnRead), or the stream is open (OnStarted). No timer is involved.
// 3. The reply to its frame brings the outcome, which the completion thread delivers.
//
// When the stream breaks (OnFinished), calls whose frames have no reply are sent again if they are
// repeatable; the others fail.
//
// The client enforces deadlines: one alarm is set for the earliest of them, or for the moment at
// which a stream may open. A call that misses its deadline or is cancelled leaves the queue, or
// leaves an empty place in its frame.
//
// A call that fails where there are other nodes waits here until it may be tried again, and then
// leaves: the CallRouter starts it where it belongs by then. When the node is retired, what has not
// been sent leaves at once, and the stream ends after the last answer.
//
// Threads. Start and Cancel may be called by any thread; what they touch is guarded by the mutex.
// Everything else happens on the completion thread, as does every callback of a call that was not
// refused. At most one Write, one Read and one alarm are pending. The thread that the queue told to
// write makes the Write, and the stream is not destroyed before the Write has ended. No callback
// runs under the mutex, and a Cancellation's mutex is never taken under it.

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "client/completion_thread.h"
#include "client/pipeline/call_queue.h"
#include "client/pipeline/call_router.h"
#include "client/pipeline/call_verdict.h"
#include "client/pipeline/pending_call.h"
#include "client/pipeline/pipeline_support.h"
#include "client/remote_node.h"
#include "grpcpp/alarm.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"

namespace ferrite {

class PipelineStream {
 public:
  // `connection` is one of the node's; `thread`, `support` and `router` outlive the stream.
  // `direct`: see KnownNode::pipeline().
  PipelineStream(std::shared_ptr<RemoteNode> node, NodeConnection* connection,
                 CompletionThread* thread, int max_frames_in_flight, PipelineSupport* support,
                 CallRouter* router, bool direct);
  // AwaitEnd() must have returned and the thread must have ended; or the stream was retired, and
  // let go of its owner.
  ~PipelineStream() = default;
  PipelineStream(const PipelineStream&) = delete;
  PipelineStream& operator=(const PipelineStream&) = delete;

  // Returns the call if the stream was retired: start it elsewhere.
  std::unique_ptr<PendingCall> Start(std::unique_ptr<PendingCall> call);
  // Ends a call that is in flight soon with CANCELLED, unless its outcome is known.
  void Cancel(PendingCall* call);

  // Its node is no longer called. Holds on to `owner`, to whom it belongs, until all is over.
  void Retire(std::shared_ptr<void> owner);

  // Refuses further calls and ends those in flight soon with CANCELLED.
  void Close();
  // After Close(): waits until no call is in flight and nothing is pending.
  void AwaitEnd();

 private:
  using Clock = std::chrono::steady_clock;
  using Frame = CallQueue::Frame;

  // Passes the end of one kind of operation to the stream.
  template <void (PipelineStream::*kStep)(bool)>
  class Tag final : public CallTag {
   public:
    explicit Tag(PipelineStream* stream) : stream_(*stream) {}
    void Proceed(bool ok) override {
      (stream_.*kStep)(ok);
      stream_.Settle();
    }

   private:
    PipelineStream& stream_;
  };

  void OnStarted(bool ok);
  void OnWritten(bool ok);
  void OnRead(bool ok);
  void OnFinished(bool ok);
  void OnAlarm(bool ok);
  // After each event: takes the next step, and reports when all is over.
  void Settle();

  CallQueue::Step NextStep(Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Does what NextStep returned, without the mutex.
  void Take(const CallQueue::Step& step);
  void OpenStream();
  // Makes sure that the alarm fires when the queue needs it.
  void SetAlarm() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // How calls end: outcomes.cc.
  void Answer(const Frame& frame, const grpc::ByteBuffer& reply);
  // The server has answered something that it was not asked: its further replies cannot be matched
  // either.
  void Distrust();
  void EndStream();
  // End a call that the queue no longer has. Each deletes the call, unless it is tried again.
  void EndAnswered(PendingCall* call, const std::optional<FrameResult>& result);
  void EndLost(PendingCall* call, const std::optional<std::string>& pushback, bool was_sent);
  // Has the call tried again if it may be; otherwise it ends as the verdict says then.
  bool TryAgain(PendingCall* call, CallVerdict* verdict);
  std::optional<absl::Duration> DelayAfter(PendingCall* call, CallVerdict* verdict);
  // Why not, if the call was withdrawn.
  std::optional<CallQueue::EndReason> AddAgain(PendingCall* call, absl::Duration delay);
  // It goes on elsewhere.
  void Let(PendingCall* call);
  // The call is no longer this stream's.
  void Release(PendingCall* call);
  void SendAlone(PendingCall* call);
  void Deliver(PendingCall* call, absl::Status status);
  // Does not delete the call.
  void DeliverAndKeep(PendingCall* call, absl::Status status);
  absl::Status StatusOf(CallQueue::EndReason reason, const PendingCall& call) const;

  const std::shared_ptr<RemoteNode> node_;
  NodeConnection& connection_;
  CompletionThread& thread_;
  PipelineSupport& support_;
  CallRouter& router_;
  const bool direct_;
  const absl::Status hopeless_;  // made once: under overload there are many

  // Used by the thread that opens the stream, then by the completion thread; `stream_->Write` also
  // by the thread that the queue told to write.
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  grpc::ByteBuffer reply_;
  grpc::Status status_;
  size_t calls_ended_ = 0;              // not reported to the queue yet
  const char* why_given_up_ = nullptr;  // the stream, by this side

  Tag<&PipelineStream::OnStarted> start_tag_{this};
  Tag<&PipelineStream::OnWritten> write_tag_{this};
  Tag<&PipelineStream::OnRead> read_tag_{this};
  Tag<&PipelineStream::OnFinished> finish_tag_{this};
  Tag<&PipelineStream::OnAlarm> alarm_tag_{this};

  Mutex mutex_;
  CallQueue queue_ ABSL_GUARDED_BY(mutex_);
  Clock::time_point alarm_time_ ABSL_GUARDED_BY(mutex_) = CallQueue::kNever;  // kNever: not set
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mutex_);
  std::optional<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<void> owner_ ABSL_GUARDED_BY(mutex_);  // once retired

  // Whether the last frame of the queue is still being serialized.
  std::atomic<bool> in_the_making_{false};
  std::atomic<bool> over_{false};
};

}  // namespace ferrite
