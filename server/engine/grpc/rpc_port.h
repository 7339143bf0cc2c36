#pragma once

// Where the calls of one RPC come in on one queue. gRPC buffers calls that no port waits for.

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "server/engine/call.h"
#include "server/engine/grpc/admin_mark.h"
#include "server/engine/grpc/byte_service.h"
#include "server/engine/grpc/grpc_caller.h"
#include "server/engine/grpc/message.h"
#include "server/engine/grpc/message_check.h"
#include "server/engine/grpc/queue_thread.h"
#include "server/engine/grpc/tag.h"
#include "server/engine/grpc/wire_status.h"
#include "server/engine/transport.h"

namespace ferrite {

// Used only on the thread of its queue once that runs, but for what says otherwise. `Responder` is
// one of ByteService's.
template <typename Responder>
class RpcPort {
 public:
  // New calls are taken up by `thread`. Unary calls stay there; others, which go on for long, are
  // spread evenly over `homes`. Requests have so many bytes at most. All must outlive the port.
  RpcPort(ByteService* service, const Rpc* rpc, size_t max_request_bytes, QueueThread* thread,
          const std::vector<QueueThread*>& homes)
      : service_(*service),
        rpc_(*rpc),
        max_request_bytes_(max_request_bytes),
        thread_(*thread),
        homes_(homes.begin(), homes.end()) {}

  // Waits for as many calls as it is to.
  void Arm() {
    if (thread_.closed()) return;
    while (armed_ < wanted()) ArmOne();
  }

 private:
  static constexpr bool kUnary = std::is_same_v<Responder, ByteService::UnaryResponder>;
  static constexpr bool kFrames = std::is_same_v<Responder, ByteService::FramesResponder>;
  static constexpr int kStreamsWaitedFor = 2;
  static constexpr size_t kMaxPooled = 256;

  // A thread that serves calls, and how many of this RPC it has.
  struct Home {
    explicit Home(QueueThread* of) : thread(*of) {}
    QueueThread& thread;
    std::atomic<int> calls{0};
  };

  // One call, from the wait for it to its end.
  class GrpcCall final : public Transport {
   public:
    GrpcCall(RpcPort* port, Home* home) : port_(*port), home_(*home) {}

    // Waits for the next call. The object must not be in use.
    void Arm() {
      context_.emplace();
      responder_.emplace(&*context_);
      call_.emplace(this, &port_.rpc_, &home_.thread);
      context_->AsyncNotifyWhenDone(static_cast<Tag*>(&gone_tag_));
      port_.service_.Request(port_.rpc_.method, &*context_, message_->Receive(), &*responder_,
                             home_.thread.queue(), port_.thread_.queue(),
                             static_cast<Tag*>(&begun_tag_));
    }
    // Lets go of gRPC's memory for the call that is over.
    void Reset() {
      call_.reset();
      responder_.reset();
      context_.reset();
      message_->Clear();
    }
    Home* home() const { return &home_; }

    Clock::time_point deadline() const override { return DeadlineOf(*context_); }
    std::string peer() const override { return PeerOf(*context_); }
    std::optional<std::string_view> Metadata(std::string_view name) const override {
      return MetadataOf(*context_, name);
    }
    bool HasMetadata(std::string_view name) const override {
      return context_->client_metadata().count(grpc::string_ref(name.data(), name.size())) > 0;
    }

    CertificateNames certificate_names() const override { return CertificateNamesOf(&*context_); }
    bool is_administrators() const override { return IsMarked(&*context_); }

    uint64_t connection() const override { return ConnectionOf(&*context_); }

    const Request& request() const override { return message_->request(); }
    absl::Status CheckMessage() const override {
      return ferrite::CheckMessage(*message_, port_.max_request_bytes_);
    }
    void ForgetRequest() override { message_->Clear(); }
    std::shared_ptr<const Request> TakeRequest() override {
      const auto taken = std::exchange(message_, std::make_shared<ReceivedMessage>());
      return {taken, &taken->request()};
    }
    void StartOpening() override {
      if constexpr (!kUnary) responder_->SendInitialMetadata(static_cast<Tag*>(&opened_tag_));
    }
    void StartRead() override {
      if constexpr (kFrames) responder_->Read(message_->Receive(), static_cast<Tag*>(&read_tag_));
    }
    void StartWrite(ReplyWriter* message) override {
      if constexpr (!kUnary) {
        responder_->Write(TakeMessage(message), static_cast<Tag*>(&written_tag_));
      }
    }
    void StartFinish(const CallEnd& end, ReplyWriter* message) override {
      for (const auto& [name, value] : end.trailers) context_->AddTrailingMetadata(name, value);
      Tag* const tag = &finished_tag_;
      if constexpr (!kUnary) {
        responder_->Finish(ToGrpc(end.status), tag);
      } else if (end.status.ok()) {
        responder_->Finish(TakeMessage(message), grpc::Status::OK, tag);
      } else {
        responder_->FinishWithError(ToGrpc(end.status), tag);
      }
    }
    void Cancel() override { context_->TryCancel(); }
    void TakeNext() override {
      if constexpr (kUnary) port_.Arm();
    }
    void Release() override { port_.Release(this); }

   private:
    void OnBegun(bool ok) {
      port_.TookUp();
      if (!ok) return port_.Delete(this);
      port_.called_ = true;
      if constexpr (!kUnary) {
        port_.Arm();
        if (&home_.thread != &port_.thread_) {
          return home_.thread.HandOver([this] { call_->Begin(); });
        }
      }
      call_->Begin();
    }
    void OnOpened(bool) { call_->OnOpened(); }
    void OnRead(bool ok) { call_->OnRead(ok); }
    void OnWritten(bool ok) { call_->OnWritten(ok); }
    void OnFinished(bool) { call_->OnFinished(); }
    void OnGone(bool) { call_->OnGone(); }

    RpcPort& port_;
    Home& home_;
    mutable std::optional<grpc::ServerContext> context_;
    std::optional<Responder> responder_;
    std::shared_ptr<ReceivedMessage> message_ = std::make_shared<ReceivedMessage>();
    std::optional<ferrite::Call> call_;
    StepTag<GrpcCall, &GrpcCall::OnBegun> begun_tag_{this};
    StepTag<GrpcCall, &GrpcCall::OnOpened> opened_tag_{this};
    StepTag<GrpcCall, &GrpcCall::OnRead> read_tag_{this};
    StepTag<GrpcCall, &GrpcCall::OnWritten> written_tag_{this};
    StepTag<GrpcCall, &GrpcCall::OnFinished> finished_tag_{this};
    StepTag<GrpcCall, &GrpcCall::OnGone> gone_tag_{this};
  };

  int wanted() const { return kUnary ? thread_.calls_to_wait_for(called_) : kStreamsWaitedFor; }

  void ArmOne() {
    GrpcCall* call;
    if (pool_.empty()) {
      call = new GrpcCall(this, EmptiestHome());
    } else {
      call = pool_.back().release();
      pool_.pop_back();
    }
    ++armed_;
    if constexpr (kUnary) thread_.ChangeWaitedFor(1);
    call->Arm();
  }

  // A call that was waited for is there, or will never be.
  void TookUp() {
    --armed_;
    thread_.CountTakenUp();
    if constexpr (kUnary) {
      thread_.ChangeWaitedFor(-1);
      thread_.NoteTakenUp(armed_);
    }
  }

  Home* EmptiestHome() {
    Home* emptiest = &homes_.front();
    for (Home& home : homes_) {
      if (home.calls.load() < emptiest->calls.load()) emptiest = &home;
    }
    emptiest->calls.fetch_add(1);
    return emptiest;
  }

  // On the thread of the call's home.
  void Release(GrpcCall* call) {
    call->Reset();
    if constexpr (kUnary) {
      if (pool_.size() < kMaxPooled) return pool_.emplace_back(call), void();
    }
    Delete(call);
  }
  // On the thread of the call's home, or on this port's thread if the call never began.
  void Delete(GrpcCall* call) {
    call->home()->calls.fetch_sub(1);
    delete call;
  }

  ByteService& service_;
  const Rpc& rpc_;
  const size_t max_request_bytes_;
  QueueThread& thread_;
  std::deque<Home> homes_;
  int armed_ = 0;
  bool called_ = false;  // so far
  std::vector<std::unique_ptr<GrpcCall>> pool_;
};

}  // namespace ferrite
