#include <grpcpp/create_channel.h>

#include <chrono>

#include "client/error.h"
#include "ferrite/v1/cache.grpc.pb.h"
#include "tests/chaos/key_service.h"

namespace ferrite {
namespace {

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 300);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 300);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

CallFailure FailureOf(const grpc::Status& status) {
  if (CouldNotConnect(status)) return {"no connection", true};
  const absl::Status failure = ToAbslStatus(status, "", absl::ZeroDuration());
  const std::string reason = ReasonOf(failure);
  if (!reason.empty()) return {reason, !MayBeDone(failure)};
  return {status.error_code() == grpc::DEADLINE_EXCEEDED ? "deadline" : "connection", false};
}

class StubService final : public KeyService {
 public:
  StubService(const std::string& address, absl::Duration timeout)
      : address_(address),
        timeout_(timeout),
        channel_(Connect(address)),
        stub_(v1::CacheService::NewStub(channel_)) {}

  const std::string& way() const override { return address_; }
  bool Ready() override {
    if (channel_->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY) return true;
    channel_->WaitForConnected(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
    return false;
  }
  bool RepeatsSets() const override { return false; }

  std::optional<CallFailure> Call(const v1::GetRequest& request,
                                  v1::GetResponse* response) override {
    return Make(&v1::CacheService::StubInterface::Get, request, response);
  }
  std::optional<CallFailure> Call(const v1::SetRequest& request,
                                  v1::SetResponse* response) override {
    return Make(&v1::CacheService::StubInterface::Set, request, response);
  }
  std::optional<CallFailure> Call(const v1::DeleteRequest& request,
                                  v1::DeleteResponse* response) override {
    return Make(&v1::CacheService::StubInterface::Delete, request, response);
  }
  std::optional<CallFailure> Call(const v1::IncrRequest& request,
                                  v1::IncrResponse* response) override {
    return Make(&v1::CacheService::StubInterface::Incr, request, response);
  }

 private:
  template <typename Request, typename Response>
  std::optional<CallFailure> Make(grpc::Status (v1::CacheService::StubInterface::*method)(
                                      grpc::ClientContext*, const Request&, Response*),
                                  const Request& request, Response* response) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout_));
    const grpc::Status status = (stub_.get()->*method)(&context, request, response);
    if (status.ok()) return std::nullopt;
    return FailureOf(status);
  }

  const std::string address_;
  const absl::Duration timeout_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::CacheService::Stub> stub_;
};

}  // namespace

std::unique_ptr<KeyService> NodeByStubs(const std::string& address, absl::Duration timeout) {
  return std::make_unique<StubService>(address, timeout);
}

}  // namespace ferrite
