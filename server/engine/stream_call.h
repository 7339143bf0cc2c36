#pragma once

// A call that answers with a stream. Its life is that of a unary call (see unary_call.h) with one
// step more:
//
//   2. Proceed(true): a call is there; another is armed; the handler gives a source of messages.
//   3. Proceed(true): the message before is out. The source fills the next, and one Write is in
//   flight at any time; when
//      it has none left, or the client is gone (false), Finish ends the call.
//   4. Proceed: the end is out. The object goes.

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>

#include <functional>
#include <optional>
#include <utility>

#include "server/admission/gate.h"
#include "server/engine/call_meter.h"
#include "server/engine/call_step.h"
#include "server/engine/message_bytes.h"
#include "server/engine/queue_thread.h"
#include "server/engine/server_timing.h"
#include "server/engine/tag.h"
#include "server/slowlog/slow_call_entry.h"

namespace ferrite {

// Gives the messages of one stream: fills in the next and returns true, or returns false at the
// end. Each step is short, as other calls wait for the thread meanwhile.
template <typename Response>
using MessageSource = std::function<bool(Response*)>;

// Opens a stream: sets the source, or refuses.
template <typename Request, typename Response>
using StreamHandler = std::function<grpc::Status(const Request&, MessageSource<Response>*)>;

// Serves one method on one queue. Used only on the queue's thread once it runs.
template <typename Service, typename Request, typename Response>
class StreamMethod {
 public:
  using RequestMethod = void (Service::*)(grpc::ServerContext*, Request*,
                                          grpc::ServerAsyncWriter<Response>*,
                                          grpc::CompletionQueue*, grpc::ServerCompletionQueue*,
                                          void*);

  StreamMethod(QueueThread* thread, Service* service, RequestMethod request_method, Method method,
               StreamHandler<Request, Response> handler)
      : thread_(*thread),
        service_(*service),
        request_method_(request_method),
        method_(method),
        handler_(std::move(handler)) {}

  // Lets `count` calls wait to be taken up at once.
  void Arm(int count) {
    for (int i = 0; i < count; ++i) ArmOne();
  }

 private:
  class Call final : public Tag {
   public:
    explicit Call(StreamMethod* owner) : owner_(*owner) {}

    void Arm() {
      (owner_.service_.*owner_.request_method_)(&context_, &request_, &writer_,
                                                owner_.thread_.queue(), owner_.thread_.queue(),
                                                static_cast<Tag*>(this));
    }

    void Proceed(bool ok) override {
      if (step_ == Step::kWaiting) {
        if (!ok || owner_.thread_.closed()) {
          delete this;
          return;
        }
        owner_.ArmOne();
        Open();
      } else if (step_ == Step::kWriting) {
        owner_.thread_.wait()->Passed(mark_);
        sent_ += ok;
        const CallStep step(owner_.thread_.wait(), meter_->counters());
        if (ok) {
          WriteNext(step);
        } else {
          times_ += step.Executed();
          Finish(grpc::Status::CANCELLED);
        }
      } else {
        delete this;
      }
    }

   private:
    enum class Step { kWaiting, kWriting, kFinishing };

    void Open() {
      meter_.emplace(owner_.method_);
      const CallStep step(owner_.thread_.wait(), meter_->counters(), meter_->begin());
      grpc::Status status = meter_->Admit(context_);
      if (status.ok()) {
        status = owner_.thread_.gate()->Admit(owner_.method_, 1, MessageBytes(request_), &context_,
                                              &passage_);
      }
      if (status.ok()) status = owner_.handler_(request_, &source_);
      if (status.ok()) {
        step_ = Step::kWriting;
        WriteNext(step);
      } else {
        times_ += step.Executed();
        Finish(status);
      }
    }

    void WriteNext(const CallStep& step) {
      if (owner_.thread_.closed()) {
        delete this;
        return;
      }
      response_.Clear();
      const bool more = source_(&response_);
      keys_ += step.keys();
      times_ += step.Executed();
      if (more) {
        writer_.Write(response_, static_cast<Tag*>(this));
        const uint64_t bytes = SentBytes(response_);
        passage_.HoldReply(bytes);
        sent_bytes_ += bytes;
        meter_->CountBytes(0, bytes);
        mark_ = step.Started();
      } else {
        Finish(grpc::Status::OK);
      }
    }

    void Finish(const grpc::Status& status) {
      step_ = Step::kFinishing;
      meter_->End(status, 1, sent_);
      meter_->CountBytes(MessageBytes(request_), 0);
      AddServerTiming(times_, &context_);
      AddIfSlow(
          owner_.thread_.slow_calls(), owner_.method_, times_, context_, status, request_,
          [this] { return sent_bytes_; }, static_cast<uint32_t>(keys_));
      if (owner_.thread_.closed()) {
        delete this;
      } else {
        writer_.Finish(status, static_cast<Tag*>(this));
      }
    }

    StreamMethod& owner_;
    grpc::ServerContext context_;
    grpc::ServerAsyncWriter<Response> writer_{&context_};
    Request request_;
    Response response_;
    MessageSource<Response> source_;
    std::optional<CallMeter> meter_;
    Passage passage_;    // goes with the call
    CallTimes times_;    // of all steps
    uint64_t sent_ = 0;  // messages
    uint64_t sent_bytes_ = 0;
    uint64_t keys_ = 0;
    int64_t mark_ = 0;  // of the Write in flight
    Step step_ = Step::kWaiting;
  };

  void ArmOne() { (new Call(this))->Arm(); }

  QueueThread& thread_;
  Service& service_;
  const RequestMethod request_method_;
  const Method method_;
  const StreamHandler<Request, Response> handler_;
};

}  // namespace ferrite
