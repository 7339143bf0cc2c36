#pragma once

// A unary call, from the wait for it to its end. Its life:
//
//   1. Arm: asks gRPC for the next call of this method (Request*), with this object as the tag.
//   2. Proceed(true): a call is there. Another object is armed in this one's place before anything
//   else happens, so that
//      there is always someone waiting. The handler runs, and Finish sends its answer.
//   3. Proceed: the answer is out, or the client is gone. The object waits in the pool for its next
//   call.
//
// Proceed(false) in step 1 means that the server shuts down; the object goes.

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_unary_call.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "server/admission/gate.h"
#include "server/engine/call_meter.h"
#include "server/engine/call_step.h"
#include "server/engine/message_bytes.h"
#include "server/engine/queue_thread.h"
#include "server/engine/server_timing.h"
#include "server/engine/tag.h"
#include "server/slowlog/slow_call_entry.h"

namespace ferrite {

// What a handler is: a function from request to response and status. It knows nothing of gRPC's
// queues and contexts.
template <typename Request, typename Response>
using UnaryHandler = std::function<grpc::Status(const Request&, Response*)>;

// Serves one method on one queue. Used only on the queue's thread once it runs.
template <typename Service, typename Request, typename Response>
class UnaryMethod {
 public:
  using RequestMethod = void (Service::*)(grpc::ServerContext*, Request*,
                                          grpc::ServerAsyncResponseWriter<Response>*,
                                          grpc::CompletionQueue*, grpc::ServerCompletionQueue*,
                                          void*);

  UnaryMethod(QueueThread* thread, Service* service, RequestMethod request_method, Method method,
              UnaryHandler<Request, Response> handler)
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
    explicit Call(UnaryMethod* owner) : owner_(*owner) {}

    void Arm() {
      context_.emplace();
      writer_.emplace(&*context_);
      running_ = false;
      (owner_.service_.*owner_.request_method_)(&*context_, &request_, &*writer_,
                                                owner_.thread_.queue(), owner_.thread_.queue(),
                                                static_cast<Tag*>(this));
    }

    void Proceed(bool ok) override {
      if (running_) {
        passage_.End();
        owner_.thread_.wait()->Passed(finish_mark_);
        writer_.reset();
        context_.reset();  // lets go of gRPC's memory for the call
        return owner_.Release(this);
      }
      if (!ok || owner_.thread_.closed()) {
        delete this;
        return;
      }
      owner_.ArmOne();
      Run();
    }

   private:
    void Run() {
      running_ = true;
      CallMeter meter(owner_.method_);
      const CallStep step(owner_.thread_.wait(), meter.counters(), meter.begin());
      Gate* gate = owner_.thread_.gate();
      const uint64_t request_bytes = MessageBytes(request_);
      grpc::Status status = meter.Admit(*context_);
      if (status.ok()) {
        status = gate->Admit(owner_.method_, 1, request_bytes, &*context_, &passage_);
      }
      if (status.ok()) {
        status = owner_.handler_(request_, &response_);
        gate->Explain(status, &*context_);
      }
      const CallTimes times = step.Executed(meter.End(status, 1, status.ok() ? 1 : 0));
      Explain(status, times);
      if (status.ok()) {
        writer_->Finish(response_, status, static_cast<Tag*>(this));
      } else {
        writer_->FinishWithError(status, static_cast<Tag*>(this));
      }
      // gRPC has serialized the response by now.
      const uint64_t response_bytes = status.ok() ? SentBytes(response_) : 0;
      meter.CountBytes(request_bytes, response_bytes);
      passage_.HoldReply(response_bytes);
      finish_mark_ = step.Started();
      Empty(request_bytes, &request_);
      Empty(response_bytes, &response_);
    }

    // Says where the time went: to the caller if it asked, to the operator if it was much.
    void Explain(const grpc::Status& status, const CallTimes& times) {
      AddServerTiming(times, &*context_);
      AddIfSlow(owner_.thread_.slow_calls(), owner_.method_, times, *context_, status, request_,
                [&] { return status.ok() ? MessageBytes(response_) : 0; });
    }

    UnaryMethod& owner_;
    std::optional<grpc::ServerContext> context_;
    std::optional<grpc::ServerAsyncResponseWriter<Response>> writer_;
    Request& request_ = owner_.request_;
    Response& response_ = owner_.response_;
    Passage passage_;
    int64_t finish_mark_ = 0;
    bool running_ = false;
  };

  void ArmOne() {
    Call* call;
    if (pool_.empty()) {
      call = new Call(this);
    } else {
      call = pool_.back().release();
      pool_.pop_back();
    }
    call->Arm();
  }

  void Release(Call* call) {
    std::unique_ptr<Call> owned(call);
    if (pool_.size() < kMaxPooled) pool_.push_back(std::move(owned));
  }

  static constexpr size_t kMaxPooled = 256;

  QueueThread& thread_;
  Service& service_;
  const RequestMethod request_method_;
  const Method method_;
  const UnaryHandler<Request, Response> handler_;
  // One for all calls: gRPC unpacks a request when its event is taken from the queue, packs a
  // response in Finish, and all of a call that needs them lies in between. So calls that wait for
  // their clients hold no message beside the packed one.
  Request request_;
  Response response_;
  std::vector<std::unique_ptr<Call>> pool_;
};

}  // namespace ferrite
