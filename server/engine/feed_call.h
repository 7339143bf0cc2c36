#pragma once

// A call that answers with messages when there are any, for as long as its client likes. Its life:
//
//   1. Arm: asks gRPC for the next call of this method.
//   2. A call is there: another is armed in this one's place; the handler makes a feed.
//   3. Whenever the feed has something, and no message is on its way, the next one is written.
//   4. The client is gone, the feed ends, or the server drains: the feed goes at once, so that
//      nothing more gathers for it, and unless the client is gone, Finish.
//   5. gRPC is done with the call and nothing is in flight: the object goes. That gRPC is done is
//      told by the tag of AsyncNotifyWhenDone, which comes if and only if the call has begun, but
//      perhaps before the tag that says so.

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/byte_buffer.h>

#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>

#include "server/admission/gate.h"
#include "server/engine/call_meter.h"
#include "server/engine/call_step.h"
#include "server/engine/feed.h"
#include "server/engine/message_bytes.h"
#include "server/engine/queue_thread.h"
#include "server/engine/server_timing.h"
#include "server/engine/step_tag.h"
#include "server/engine/tag.h"

namespace ferrite {

// Serves one method on one queue. Used only on the queue's thread once it runs.
template <typename Service>
class FeedMethod {
 public:
  using Writer = grpc::ServerAsyncWriter<grpc::ByteBuffer>;
  using RequestMethod = void (Service::*)(grpc::ServerContext*, grpc::ByteBuffer*, Writer*,
                                          grpc::CompletionQueue*, grpc::ServerCompletionQueue*,
                                          void*);

  FeedMethod(QueueThread* thread, Service* service, RequestMethod request_method, Method method,
             FeedHandler handler)
      : thread_(*thread),
        service_(*service),
        request_method_(request_method),
        method_(method),
        handler_(std::move(handler)) {}

  // Lets `count` calls wait to be taken up at once.
  void Arm(int count) {
    for (int i = 0; i < count; ++i) (new Call(this))->Arm();
  }

  // Ends every call, now and from now on, with `status`, as soon as the message that is being
  // written is out.
  void Drain(const grpc::Status& status) {
    drained_ = status;
    const std::unordered_set<Call*> calls = open_;  // a call that ends takes itself out
    for (Call* call : calls) call->Advance();
  }

 private:
  class Call final {
   public:
    explicit Call(FeedMethod* owner) : owner_(*owner) {}

    void Arm() {
      context_.AsyncNotifyWhenDone(static_cast<Tag*>(&done_tag_));
      (owner_.service_.*owner_.request_method_)(&context_, &request_, &writer_,
                                                owner_.thread_.queue(), owner_.thread_.queue(),
                                                static_cast<Tag*>(&begun_tag_));
    }

    // Takes the next step that can be taken.
    void Advance() {
      if (!begun_ || done_ || writing_ || finishing_ || owner_.thread_.closed()) return;
      if (owner_.drained_.has_value()) return Finish(*owner_.drained_);
      if (feed_ == nullptr) return;
      const CallStep step(owner_.thread_.wait(), meter_->counters());
      grpc::ByteBuffer message;
      grpc::Status status;
      const Feed::Step next = feed_->Next(&context_, &message, &status);
      if (next == Feed::Step::kNothing) return;
      const CallTimes times = step.Executed();
      times_ += times;
      if (next == Feed::Step::kEnd) return Finish(status);
      meter_->EndFrame(times.execute_ns);
      meter_->CountBytes(0, message.Length());
      writing_ = true;
      writer_.Write(message, static_cast<Tag*>(&written_tag_));
      mark_ = step.Started();
    }

   private:
    void OnBegun(bool ok) {
      if (!ok) {
        delete this;
        return;
      }
      begun_ = true;
      meter_.emplace(owner_.method_);
      owner_.open_.insert(this);
      if (owner_.thread_.closed()) return DeleteIfOver();
      owner_.Arm(1);
      if (const grpc::Status status = Open(); !status.ok() && !done_) Finish(status);
      Advance();
      DeleteIfOver();
    }

    grpc::Status Open() {
      meter_->CountBytes(MessageBytes(request_), 0);
      // A feed that began now could set an alarm that nobody cancels, and hold up the queue's end.
      if (owner_.drained_.has_value()) return *owner_.drained_;
      if (grpc::Status status = meter_->Admit(context_); !status.ok()) return status;
      // Only to begin is an operation: a stream that waits for events keeps nobody waiting.
      Passage passage;
      grpc::Status status = owner_.thread_.gate()->Admit(owner_.method_, 1, MessageBytes(request_),
                                                         &context_, &passage);
      if (!status.ok()) return status;
      const auto wake = [this] { Advance(); };
      status = owner_.handler_(request_, wake, &feed_);
      owner_.thread_.gate()->Explain(status, &context_);
      if (!status.ok() || done_) feed_.reset();
      request_.Clear();
      return status;
    }

    void OnWritten(bool ok) {
      owner_.thread_.wait()->Passed(mark_);
      writing_ = false;
      sent_ += ok;
      if (ok && feed_ != nullptr) feed_->Sent();
      if (ok) Advance();
      DeleteIfOver();
    }

    void Finish(const grpc::Status& status) {
      feed_.reset();
      finishing_ = true;
      status_ = status;
      AddServerTiming(times_, &context_);
      writer_.Finish(status, static_cast<Tag*>(&finished_tag_));
    }

    void OnFinished(bool ok) {
      finishing_ = false;
      finished_ = ok;
      DeleteIfOver();
    }

    void OnDone(bool) {
      done_ = true;
      feed_.reset();
      DeleteIfOver();
    }

    void DeleteIfOver() {
      if (!begun_ || !done_ || writing_ || finishing_) return;
      owner_.open_.erase(this);
      meter_->End(finished_ ? status_ : grpc::Status::CANCELLED, 1, sent_);
      delete this;
    }

    FeedMethod& owner_;
    grpc::ServerContext context_;
    grpc::ByteBuffer request_;
    Writer writer_{&context_};
    StepTag<Call, &Call::OnBegun> begun_tag_{this};
    StepTag<Call, &Call::OnWritten> written_tag_{this};
    StepTag<Call, &Call::OnFinished> finished_tag_{this};
    StepTag<Call, &Call::OnDone> done_tag_{this};
    std::unique_ptr<Feed> feed_;
    std::optional<CallMeter> meter_;
    grpc::Status status_;
    CallTimes times_;  // of all messages
    int64_t mark_ = 0;
    uint64_t sent_ = 0;
    bool begun_ = false;
    bool writing_ = false;
    bool finishing_ = false;
    bool finished_ = false;  // with status_
    bool done_ = false;
  };

  QueueThread& thread_;
  Service& service_;
  const RequestMethod request_method_;
  const Method method_;
  const FeedHandler handler_;
  std::unordered_set<Call*> open_;
  std::optional<grpc::Status> drained_;
};

}  // namespace ferrite
