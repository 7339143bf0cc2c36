#pragma once

// The calls about single keys that share one connection, and the Pipeline stream on which they
// travel.
//
// The life of a call:
// 1. Start(): the call queues. If a frame may leave, the starting thread itself writes it: a lone
//    call leaves at once.
// 2. Otherwise the frame fills, until the Write before it is out (OnWritten), a reply has come
//    (OnRead), or the stream is open (OnStarted). No timer is involved.
// 3. The reply of its frame brings its outcome, which the completion thread delivers.
//
// The life of the stream: it opens when a call queues and there is none, and stays open. When it
// breaks (OnFinished), nobody knows what became of the frames without a reply: calls of them that
// are repeatable wait and queue again, the others fail. Calls that have not been sent await the
// next stream, unless this one never came about. If the server said when to come again, it does
// not open before.
//
// Deadlines are kept by the client: one alarm is set for the earliest of them (or for the moment at
// which a stream may open). A call that ends by its deadline or is cancelled leaves the queue, or
// leaves an empty place in its frame.
//
// More load than the node can take. What is in a frame will be executed, whether or not somebody
// still waits for it; what queues costs the node nothing. So:
//   - a call that would be answered too late, as the queue stands, does not join it but fails at
//     once: calls would otherwise be sent in the order in which they came, which is when it is too
//     late for them;
//   - frames under way hold what the node answers in a small part of a call's time, while the rest
//     queues;
//   - a call that has queued for too long nevertheless, as the node has become slower, is not sent.
//
// Threads. Start and Cancel may come from any thread; what they touch is guarded by the mutex.
// Everything else happens on the completion thread, as does every callback of a call that was not
// refused. One Write, one Read and one alarm are pending at most; who sets `writing_` makes the
// Write, and the stream stays until its end has been seen. No callback runs under the mutex, and
// the mutex of a Cancellation is never taken under it.

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "client/completion_thread.h"
#include "client/node.h"
#include "client/pipeline/deadlines.h"
#include "client/pipeline/pending_call.h"
#include "client/pipeline/pipeline_support.h"
#include "client/pipeline/wait_forecast.h"
#include "grpcpp/alarm.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "proto/wire/frame_result.h"

namespace ferrite {

class PipelineStream {
 public:
  // `connection` is one of the node's; `thread` and `support` outlive the stream.
  PipelineStream(std::shared_ptr<Node> node, Connection* connection, CompletionThread* thread,
                 int max_frames_in_flight, PipelineSupport* support);
  // AwaitEnd() must have returned and the thread must have ended.
  ~PipelineStream() = default;
  PipelineStream(const PipelineStream&) = delete;
  PipelineStream& operator=(const PipelineStream&) = delete;

  void Start(std::unique_ptr<PendingCall> call);
  // Makes the call end soon with CANCELLED, unless its outcome is known. It is in flight.
  void Cancel(PendingCall* call);

  // Refuses further calls and makes those in flight end soon with CANCELLED.
  void Close();
  // After Close(): waits until no call is in flight and nothing is pending.
  void AwaitEnd();

 private:
  using Frame = std::vector<PendingCall*>;
  using Clock = std::chrono::steady_clock;
  using Place = PendingCall::Place;

  // What can be done next; whoever found it out does it, without the mutex.
  struct Step {
    bool open = false;
    const Frame* write = nullptr;
  };

  enum class State {
    kNone,      // no stream
    kStarting,  // it is being opened
    kOpen,      // frames can be written
    kEnding,    // no more frames; its status is awaited
  };

  // Gives the end of one kind of operation to the stream.
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
  // After each event: goes on, and tells whether all is over.
  void Settle();

  // Whether the calls before it take more than half of its time: it would take the node's time from
  // calls that can still make it, and most likely be late.
  bool IsHopeless(const PendingCall& call, Clock::time_point now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // How many more calls may be under way, as the node goes. Some call is queued.
  size_t Room(Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Step NextStep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayWrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  const Frame* TakeFrame() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Take(const Step& step);
  void OpenStream();
  void Queue(PendingCall* call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Dequeue(PendingCall* call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  PendingCall* TakeQueued() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddDeadline(PendingCall* call, Clock::time_point time, Clock::time_point now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetAlarm(Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<PendingCall*> TakeDue(Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // What becomes of calls: outcomes.cc.
  void Answer(const Frame& frame, const grpc::ByteBuffer& reply);
  // The server answers what it was not asked: whatever it says now may be about something else.
  void Distrust();
  void AnswerWithError(PendingCall* call, const FrameResult& outcome);
  void EndStream(const grpc::Status& status);
  // Opens no stream as long as the server asked for, if it did.
  void Pause(const std::optional<std::string>& pushback) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Lose(PendingCall* call, const grpc::Status& status,
            const std::optional<std::string>& pushback, bool was_sent);
  // Lets the call queue again after a while. False when it is not to be tried again.
  bool TryAgain(PendingCall* call, absl::StatusCode code, std::optional<std::string_view> pushback,
                bool repeatable);
  void SendAlone(PendingCall* call);
  void End(PendingCall* call, absl::Status status);
  absl::Status TooLate(const PendingCall& call) const;
  std::optional<absl::Status> CancelledWith(const PendingCall& call);

  const std::shared_ptr<Node> node_;
  Connection& connection_;
  CompletionThread& thread_;
  PipelineSupport& support_;
  const size_t max_frames_in_flight_;
  const absl::Status hopeless_;  // made once: under overload there are many

  // Used by the thread that opens the stream, then by the completion thread; `stream_->Write` also
  // by who set `writing_`.
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  grpc::ByteBuffer reply_;
  grpc::Status status_;
  size_t calls_ended_ = 0;  // not yet subtracted from calls_

  Tag<&PipelineStream::OnStarted> start_tag_{this};
  Tag<&PipelineStream::OnWritten> write_tag_{this};
  Tag<&PipelineStream::OnRead> read_tag_{this};
  Tag<&PipelineStream::OnFinished> finish_tag_{this};
  Tag<&PipelineStream::OnAlarm> alarm_tag_{this};

  Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kNone;
  Clock::time_point opens_at_ ABSL_GUARDED_BY(mutex_);  // when the next stream may open
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool came_about_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool distrusted_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  // While a reply is delivered: the calls that its callbacks start leave together, or, if the
  // server has nothing to do, as soon as there are so many. Otherwise 0.
  size_t cork_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t calls_ ABSL_GUARDED_BY(mutex_) = 0;  // that have not ended
  Link queue_ ABSL_GUARDED_BY(mutex_);
  size_t queued_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Frame> unanswered_ ABSL_GUARDED_BY(mutex_);
  size_t in_frames_ ABSL_GUARDED_BY(mutex_) = 0;  // calls in unanswered_
  WaitForecast forecast_ ABSL_GUARDED_BY(mutex_);
  // Every call that is queued, in a frame, or waits.
  Deadlines deadlines_ ABSL_GUARDED_BY(mutex_);
  bool alarm_set_ ABSL_GUARDED_BY(mutex_) = false;
  Clock::time_point alarm_time_ ABSL_GUARDED_BY(mutex_);
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mutex_);
  std::optional<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);

  // Whether the last of unanswered_ is still being read to be written.
  std::atomic<bool> in_the_making_{false};
  std::atomic<bool> over_{false};
};

}  // namespace ferrite
