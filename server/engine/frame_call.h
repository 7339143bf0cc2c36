#pragma once

// A bidirectional stream that answers each message with one. Its life:
//
//   1. Arm: asks gRPC for the next stream of this method, with this object as the tag.
//   2. A stream is there: another object is armed in this one's place, and the first Read begins.
//   3. A frame is there: it is executed as soon as the reply before it is out. Its reply is written
//      while the next frame is read. So there is one Read and one Write in flight at most, and one
//      frame in hand: who does not take replies is not read from.
//   4. The client has no more frames or is gone, a frame is refused, or the server drains: Finish,
//      once no Write is in flight.
//   5. The end is out and nothing is in flight: the object goes.
//
// Messages are bytes: what is in them is the handler's business.

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/byte_buffer.h>

#include <functional>
#include <optional>
#include <unordered_set>
#include <utility>

#include "server/admission/gate.h"
#include "server/engine/call_meter.h"
#include "server/engine/call_step.h"
#include "server/engine/message_bytes.h"
#include "server/engine/queue_thread.h"
#include "server/engine/server_timing.h"
#include "server/engine/step_tag.h"
#include "server/engine/tag.h"
#include "server/slowlog/slow_call_entry.h"

namespace ferrite {

// Executes a frame and sets the reply, or refuses it, which ends the stream.
using FrameHandler =
    std::function<grpc::Status(const grpc::ByteBuffer& frame, grpc::ByteBuffer* reply)>;

using FrameStream = grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;

// Serves one method on one queue. Used only on the queue's thread once it runs.
template <typename Service>
class FrameMethod {
 public:
  using RequestMethod = void (Service::*)(grpc::ServerContext*, FrameStream*,
                                          grpc::CompletionQueue*, grpc::ServerCompletionQueue*,
                                          void*);

  FrameMethod(QueueThread* thread, Service* service, RequestMethod request_method, Method method,
              FrameHandler handler)
      : thread_(*thread),
        service_(*service),
        request_method_(request_method),
        method_(method),
        handler_(std::move(handler)) {}

  // Lets `count` streams wait to be taken up at once.
  void Arm(int count) {
    for (int i = 0; i < count; ++i) (new Call(this))->Arm();
  }

  // Ends every stream, now and from now on, with `status`, as soon as the reply that is being
  // written is out. Frames that have no reply by then are not executed.
  void Drain(const grpc::Status& status) {
    drained_ = status;
    const std::unordered_set<Call*> calls = open_;  // a call that ends takes itself out
    for (Call* call : calls) call->Advance();
  }

 private:
  class Call final : public Tag {
   public:
    explicit Call(FrameMethod* owner) : owner_(*owner) {}

    void Arm() {
      (owner_.service_.*owner_.request_method_)(&context_, &stream_, owner_.thread_.queue(),
                                                owner_.thread_.queue(), static_cast<Tag*>(this));
    }

    // The stream is there, or its end is out.
    void Proceed(bool ok) override {
      if (step_ == Step::kWaiting) return Open(ok);
      step_ = Step::kFinished;
      owner_.open_.erase(this);
      meter_->End(ok ? status_ : grpc::Status::CANCELLED, received_, sent_);
      DeleteIfIdle();
    }

    // Takes the next step that can be taken.
    void Advance() {
      if (step_ != Step::kOpen || owner_.thread_.closed()) return DeleteIfIdle();
      if (writing_) return;
      if (broken_) return Finish(grpc::Status::CANCELLED);
      if (owner_.drained_.has_value()) return Finish(*owner_.drained_);
      if (has_frame_) return Execute();
      if (!reading_) Finish(grpc::Status::OK);
    }

   private:
    enum class Step { kWaiting, kOpen, kFinishing, kFinished };

    void Open(bool ok) {
      if (!ok || owner_.thread_.closed()) {
        delete this;
        return;
      }
      owner_.Arm(1);
      owner_.open_.insert(this);
      step_ = Step::kOpen;
      meter_.emplace(owner_.method_);
      if (const grpc::Status status = meter_->Admit(context_); !status.ok()) return Finish(status);
      Read();
      Advance();
    }

    void Read() {
      reading_ = true;
      stream_.Read(&frame_, static_cast<Tag*>(&read_tag_));
    }

    void OnRead(bool ok) {
      reading_ = false;
      has_frame_ = ok;
      received_ += ok;
      Advance();
    }

    void OnWritten(bool ok) {
      passage_.End();
      owner_.thread_.wait()->Passed(write_mark_);
      writing_ = false;
      broken_ = !ok;
      sent_ += ok;
      Advance();
    }

    void Execute() {
      has_frame_ = false;
      grpc::ByteBuffer reply;
      const CallStep step(owner_.thread_.wait(), meter_->counters());
      grpc::Status status = owner_.thread_.gate()->Admit(owner_.method_, 1, MessageBytes(frame_),
                                                         &context_, &passage_);
      if (status.ok()) status = owner_.handler_(frame_, &reply);
      Explain(status, step.Executed(), reply);
      frame_.Clear();
      if (!status.ok()) return Finish(status);
      writing_ = true;
      passage_.HoldReply(reply.Length());
      stream_.Write(reply, static_cast<Tag*>(&write_tag_));
      Read();
      write_mark_ = step.Started();
    }

    // Counts a frame, and says where its time went: to the caller at the end of the stream, to the
    // operator if it was much.
    void Explain(const grpc::Status& status, const CallTimes& times,
                 const grpc::ByteBuffer& reply) {
      times_ += times;
      meter_->EndFrame(times.execute_ns);
      meter_->CountBytes(MessageBytes(frame_), MessageBytes(reply));
      AddIfSlow(owner_.thread_.slow_calls(), owner_.method_, times, context_, status, frame_,
                [&] { return MessageBytes(reply); });
    }

    void Finish(const grpc::Status& status) {
      step_ = Step::kFinishing;
      AddServerTiming(times_, &context_);
      status_ = status;
      stream_.Finish(status, static_cast<Tag*>(this));
    }

    // Only when the end is out, or the queue is closed and nobody will ever know the end.
    void DeleteIfIdle() {
      const bool over =
          step_ == Step::kFinished || (step_ == Step::kOpen && owner_.thread_.closed());
      if (!over || reading_ || writing_) return;
      if (step_ == Step::kOpen) {
        owner_.open_.erase(this);
        meter_->End(grpc::Status::CANCELLED, received_, sent_);
      }
      delete this;
    }

    FrameMethod& owner_;
    grpc::ServerContext context_;
    FrameStream stream_{&context_};
    StepTag<Call, &Call::OnRead> read_tag_{this};
    StepTag<Call, &Call::OnWritten> write_tag_{this};
    grpc::ByteBuffer frame_;
    std::optional<CallMeter> meter_;
    Passage passage_;  // of the frame whose reply is on its way
    grpc::Status status_;
    CallTimes times_;  // of all frames
    int64_t write_mark_ = 0;
    uint64_t received_ = 0;
    uint64_t sent_ = 0;
    Step step_ = Step::kWaiting;
    bool reading_ = false;
    bool writing_ = false;
    bool has_frame_ = false;
    bool broken_ = false;  // a reply could not be sent
  };

  QueueThread& thread_;
  Service& service_;
  const RequestMethod request_method_;
  const Method method_;
  const FrameHandler handler_;
  std::unordered_set<Call*> open_;
  std::optional<grpc::Status> drained_;
};

}  // namespace ferrite
