#pragma once

// One attempt at one call to etcd, as the client's thread drives it.

#include <grpcpp/client_context.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/async_unary_call.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "server/cluster/etcd/endpoints.h"
#include "server/cluster/etcd/etcd_client.h"
#include "server/cluster/etcd/verdict.h"
#include "server/steady/timespec.h"

namespace ferrite::cluster {

// What an attempt needs of the client.
struct EtcdParts {
  EtcdThread* thread;
  Endpoints* endpoints;
  EtcdTally* tally;
};

// What both kinds of calls have in common: it owns itself from Begin on.
//
// A request goes out only over a connection that is there. So where there is none it certainly was
// not executed, and once it went out nothing is certain but an answer or a refusal.
template <typename Request>
class EtcdCall : public EtcdTag {
 public:
  using Method = EtcdMethod<Request>;
  using Response = typename Method::Response;

  struct Terms {
    Request request;
    std::chrono::steady_clock::time_point deadline;
    EtcdClient::Done<Request> done;
    size_t attempts_left;
  };

  EtcdCall(const EtcdParts& parts, Terms terms)
      : parts_(parts), terms_(std::move(terms)), member_(parts.endpoints->current()) {
    context_.set_deadline(ToTimespec(terms_.deadline));
    // A member that has lost its cluster says so instead of letting the call wait.
    context_.AddMetadata("hasleader", "true");
  }

  void Begin() {
    if (!parts_.thread->Add(this)) {
      terms_.done({EtcdOutcome::kNotExecuted, {}, "this process ends"});
      delete this;
      return;
    }
    Connect();
  }

  bool IsUrgent() const final { return true; }
  void Cancel() final { context_.TryCancel(); }
  void Proceed(bool ok) final { sent_ ? Advance(ok) : Connect(); }

 protected:
  // Sends the request; after it, Advance is called at the end of each operation.
  virtual void Send(const std::shared_ptr<grpc::Channel>& channel) = 0;
  virtual void Advance(bool ok) = 0;
  // Asks the member whose turn it is by then.
  virtual void TryAgain(Terms terms) = 0;

  bool is_done() const { return terms_.done == nullptr; }
  void Answered() {
    parts_.tally->CountAnswer(Method::kOp, SteadyNs() - began_ns_);
    std::exchange(terms_.done, nullptr)({EtcdOutcome::kAnswered, std::move(response_), {}});
  }
  void Failed() { Fail(JudgeFailure(status_)); }
  void End() {
    parts_.thread->Remove(this);
    delete this;
  }

  const EtcdParts& parts() const { return parts_; }
  grpc::CompletionQueue* queue() const { return parts_.thread->queue(); }
  const Request& request() const { return terms_.request; }
  EtcdTag* tag() { return this; }

  grpc::ClientContext context_;
  grpc::Status status_;
  Response response_;

 private:
  // How long a wait for the connection may hold up the end of the process.
  static constexpr std::chrono::milliseconds kLook{100};

  void Connect() {
    const std::shared_ptr<grpc::Channel>& channel = parts_.endpoints->channel(member_);
    const auto now = std::chrono::steady_clock::now();
    const grpc_connectivity_state state = channel->GetState(/*try_to_connect=*/true);
    if (state == GRPC_CHANNEL_READY) {
      sent_ = true;
      return Send(channel);
    }
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || now >= terms_.deadline ||
        parts_.thread->closing()) {
      Fail({EtcdOutcome::kNotExecuted, EtcdFailure::kUnreachable, "cannot be reached"});
      return End();
    }
    channel->NotifyOnStateChange(state, ToTimespec(std::min(terms_.deadline, now + kLook)), queue(),
                                 tag());
  }

  void Fail(const Verdict& verdict) {
    parts_.tally->CountFailure(Method::kOp, verdict.failure);
    const bool others_may_do = verdict.failure != EtcdFailure::kRefused;
    if (others_may_do) parts_.endpoints->MoveOnFrom(member_);
    if (verdict.outcome == EtcdOutcome::kNotExecuted && others_may_do && terms_.attempts_left > 1 &&
        std::chrono::steady_clock::now() < terms_.deadline && !parts_.thread->closing()) {
      --terms_.attempts_left;
      return TryAgain(std::move(terms_));
    }
    std::exchange(terms_.done, nullptr)(
        {verdict.outcome, {}, parts_.endpoints->address(member_) + ": " + verdict.error});
  }

  const EtcdParts parts_;
  Terms terms_;
  const size_t member_;
  const int64_t began_ns_ = SteadyNs();
  bool sent_ = false;
};

// A request and its answer.
template <typename Request>
class EtcdUnaryCall final : public EtcdCall<Request> {
  using Base = EtcdCall<Request>;

 public:
  using Base::Base;

 private:
  void Send(const std::shared_ptr<grpc::Channel>& channel) override {
    reader_ = Base::Method::PrepareCall(channel, &this->context_, this->request(), this->queue());
    reader_->StartCall();
    reader_->Finish(&this->response_, &this->status_, this->tag());
  }

  void Advance(bool) override {
    this->status_.ok() ? this->Answered() : this->Failed();
    this->End();
  }

  void TryAgain(typename Base::Terms terms) override {
    (new EtcdUnaryCall(this->parts(), std::move(terms)))->Begin();
  }

  std::unique_ptr<grpc::ClientAsyncResponseReader<typename Base::Response>> reader_;
};

// A request and its answer where etcd has a stream of them.
template <typename Request>
class EtcdStreamCall final : public EtcdCall<Request> {
  using Base = EtcdCall<Request>;

 public:
  using Base::Base;

 private:
  enum class Step { kStart, kWrite, kRead, kEnd };

  void Send(const std::shared_ptr<grpc::Channel>& channel) override {
    stream_ = Base::Method::PrepareStream(channel, &this->context_, this->queue());
    stream_->StartCall(this->tag());
  }

  void Advance(bool ok) override {
    if (step_ == Step::kEnd) {
      // A stream that ends well, but without an answer, has none.
      if (this->status_.ok())
        this->status_ = {grpc::StatusCode::UNKNOWN, "the stream ended without an answer"};
      if (!this->is_done()) this->Failed();
      return this->End();
    }
    if (ok && step_ == Step::kStart) {
      step_ = Step::kWrite;
      return stream_->Write(this->request(), this->tag());
    }
    if (ok && step_ == Step::kWrite) {
      step_ = Step::kRead;
      return stream_->Read(&this->response_, this->tag());
    }
    if (ok) {
      this->Answered();
      this->context_.TryCancel();
    }
    step_ = Step::kEnd;
    stream_->Finish(&this->status_, this->tag());
  }

  void TryAgain(typename Base::Terms terms) override {
    (new EtcdStreamCall(this->parts(), std::move(terms)))->Begin();
  }

  Step step_ = Step::kStart;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<Request, typename Base::Response>> stream_;
};

}  // namespace ferrite::cluster
