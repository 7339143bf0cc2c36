#include "client/client.h"

#include <utility>

#include "client/check_options.h"
#include "client/client_core.h"
#include "client/scan_call.h"
#include "client/subscription/callback_receiver.h"
#include "client/subscription/waiting_events.h"

namespace ferrite {
namespace {

// Turns a generated method, found on one of the stubs of a connection, into a PrepareFunction. The
// types follow from the method.
template <auto kStub, auto kMethod, class Stub, class Request, class Response>
constexpr PrepareFunction<Request, Response> MakePrepare(
    std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> (Stub::*)(grpc::ClientContext*,
                                                                         const Request&,
                                                                         grpc::CompletionQueue*)) {
  return [](NodeConnection& connection, grpc::ClientContext* context, const Request& request,
            grpc::CompletionQueue* queue) {
    return (connection.*kStub.*kMethod)(context, request, queue);
  };
}

template <auto kMethod>
constexpr auto kCache = MakePrepare<&NodeConnection::cache, kMethod>(kMethod);
template <auto kMethod>
constexpr auto kAdmin = MakePrepare<&NodeConnection::admin, kMethod>(kMethod);

using internal::v1::HealthCheckRequest;
using internal::v1::HealthCheckResponse;

constexpr PrepareFunction<HealthCheckRequest, HealthCheckResponse> kHealthCheck =
    [](NodeConnection& connection, grpc::ClientContext* context, const HealthCheckRequest& request,
       grpc::CompletionQueue* queue) {
      return connection.health.PrepareUnaryCall(context, "/grpc.health.v1.Health/Check", request,
                                                queue);
    };

using Cache = v1::CacheService::Stub;
using Admin = v1::AdminService::Stub;

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> Client::Create(const ClientOptions& options) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  absl::StatusOr<Credentials> credentials = MakeCredentials(options.tls, options.token);
  if (!credentials.ok()) return credentials.status();
  credentials->name_space = options.name_space;
  return std::unique_ptr<Client>(
      new Client(std::make_unique<Core>(options, *std::move(credentials))));
}

Client::Client(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Client::~Client() = default;

void Client::GetAsync(v1::GetRequest request, const CallOptions& options,
                      Callback<v1::GetResponse> done) {
  core_->CallOwner(kCache<&Cache::PrepareAsyncGet>, std::move(request), options, std::move(done));
}
void Client::SetAsync(v1::SetRequest request, const CallOptions& options,
                      Callback<v1::SetResponse> done) {
  core_->CallOwner(kCache<&Cache::PrepareAsyncSet>, std::move(request), options, std::move(done));
}
void Client::DeleteAsync(v1::DeleteRequest request, const CallOptions& options,
                         Callback<v1::DeleteResponse> done) {
  core_->CallOwner(kCache<&Cache::PrepareAsyncDelete>, std::move(request), options,
                   std::move(done));
}
void Client::TouchAsync(v1::TouchRequest request, const CallOptions& options,
                        Callback<v1::TouchResponse> done) {
  core_->CallOwner(kCache<&Cache::PrepareAsyncTouch>, std::move(request), options, std::move(done));
}
void Client::IncrAsync(v1::IncrRequest request, const CallOptions& options,
                       Callback<v1::IncrResponse> done) {
  core_->CallOwner(kCache<&Cache::PrepareAsyncIncr>, std::move(request), options, std::move(done));
}
void Client::PublishAsync(v1::PublishRequest request, const CallOptions& options,
                          Callback<v1::PublishResponse> done) {
  core_->CallOwner(kCache<&Cache::PrepareAsyncPublish>, std::move(request), options,
                   std::move(done));
}

std::unique_ptr<Subscription> Client::Subscribe(v1::SubscribeRequest request,
                                                const SubscriptionOptions& options) {
  auto waiting = std::make_shared<WaitingEvents>(options.max_waiting_events,
                                                 options.max_waiting_bytes, request.resume_token());
  auto stream = core_->StartSubscription(std::move(request), waiting);
  return std::unique_ptr<Subscription>(new Subscription(std::move(stream), waiting, waiting));
}

std::unique_ptr<Subscription> Client::Subscribe(v1::SubscribeRequest request,
                                                SubscriptionCallbacks callbacks,
                                                const SubscriptionOptions&) {
  auto receiver = std::make_shared<CallbackReceiver>(std::move(callbacks), request.resume_token());
  auto stream = core_->StartSubscription(std::move(request), receiver);
  return std::unique_ptr<Subscription>(
      new Subscription(std::move(stream), std::move(receiver), nullptr));
}

void Client::ExistsAsync(v1::ExistsRequest request, const CallOptions& options,
                         Callback<v1::ExistsResponse> done) {
  core_->CallOwners(kCache<&Cache::PrepareAsyncExists>, std::move(request), options,
                    std::move(done));
}
void Client::MGetAsync(v1::MGetRequest request, const CallOptions& options,
                       Callback<v1::MGetResponse> done) {
  core_->CallOwners(kCache<&Cache::PrepareAsyncMGet>, std::move(request), options, std::move(done));
}
void Client::MSetAsync(v1::MSetRequest request, const CallOptions& options,
                       Callback<v1::MSetResponse> done) {
  core_->CallOwners(kCache<&Cache::PrepareAsyncMSet>, std::move(request), options, std::move(done));
}
void Client::MDeleteAsync(v1::MDeleteRequest request, const CallOptions& options,
                          Callback<v1::MDeleteResponse> done) {
  core_->CallOwners(kCache<&Cache::PrepareAsyncMDelete>, std::move(request), options,
                    std::move(done));
}

void Client::ScanPageAsync(v1::ScanRequest request, const CallOptions& options,
                           Callback<v1::ScanResponse> done) {
  CallTerms terms = core_->Terms(IsRepeatable(request), options, {.to = CallRoute::To::kAny});
  (new ScanCall(core_->NextThread(), std::move(terms), std::move(request), std::move(done)))
      ->Start();
}

void Client::InfoAsync(const CallOptions& options, Callback<v1::InfoResponse> done) {
  core_->AskNode(kAdmin<&Admin::PrepareAsyncInfo>, v1::InfoRequest(), options, std::move(done));
}
void Client::StatsAsync(const CallOptions& options, Callback<v1::StatsResponse> done) {
  core_->AskNode(kAdmin<&Admin::PrepareAsyncStats>, v1::StatsRequest(), options, std::move(done));
}
void Client::FlushAsync(const CallOptions& options, Callback<v1::FlushResponse> done) {
  core_->ChangeNode(kAdmin<&Admin::PrepareAsyncFlush>, v1::FlushRequest(), options,
                    std::move(done));
}
void Client::SlowLogAsync(v1::SlowLogRequest request, const CallOptions& options,
                          Callback<v1::SlowLogResponse> done) {
  core_->AskNode(kAdmin<&Admin::PrepareAsyncSlowLog>, std::move(request), options, std::move(done));
}
void Client::ResetSlowLogAsync(const CallOptions& options,
                               Callback<v1::ResetSlowLogResponse> done) {
  core_->ChangeNode(kAdmin<&Admin::PrepareAsyncResetSlowLog>, v1::ResetSlowLogRequest(), options,
                    std::move(done));
}
void Client::GetConfigAsync(v1::GetConfigRequest request, const CallOptions& options,
                            Callback<v1::GetConfigResponse> done) {
  core_->AskNode(kAdmin<&Admin::PrepareAsyncGetConfig>, std::move(request), options,
                 std::move(done));
}
void Client::SetConfigAsync(v1::SetConfigRequest request, const CallOptions& options,
                            Callback<v1::SetConfigResponse> done) {
  core_->ChangeNode(kAdmin<&Admin::PrepareAsyncSetConfig>, std::move(request), options,
                    std::move(done));
}

void Client::WhoAmIAsync(const CallOptions& options, Callback<v1::WhoAmIResponse> done) {
  core_->AskNode(kAdmin<&Admin::PrepareAsyncWhoAmI>, v1::WhoAmIRequest(), options, std::move(done));
}
void Client::CanAsync(v1::CanRequest request, const CallOptions& options,
                      Callback<v1::CanResponse> done) {
  core_->AskNode(kAdmin<&Admin::PrepareAsyncCan>, std::move(request), options, std::move(done));
}

void Client::GetPolicyAsync(const CallOptions& options, Callback<v1::GetPolicyResponse> done) {
  core_->AskNode(kAdmin<&Admin::PrepareAsyncGetPolicy>, v1::GetPolicyRequest(), options,
                 std::move(done));
}
void Client::PutPolicyAsync(v1::PutPolicyRequest request, const CallOptions& options,
                            Callback<v1::PutPolicyResponse> done) {
  core_->ChangeNode(kAdmin<&Admin::PrepareAsyncPutPolicy>, std::move(request), options,
                    std::move(done));
}

void Client::IssueTokenAsync(v1::IssueTokenRequest request, const CallOptions& options,
                             Callback<v1::IssueTokenResponse> done) {
  core_->AskNode(kAdmin<&Admin::PrepareAsyncIssueToken>, std::move(request), options,
                 std::move(done));
}

void Client::IsServingAsync(std::string service, const CallOptions& options, Callback<bool> done) {
  HealthCheckRequest request;
  request.set_service(std::move(service));
  core_->AskNode<HealthCheckRequest, HealthCheckResponse>(
      kHealthCheck, std::move(request), options,
      [done = std::move(done)](absl::StatusOr<HealthCheckResponse> health) mutable {
        health.ok() ? done(health->status() == HealthCheckResponse::SERVING_STATUS_SERVING)
                    : done(health.status());
      });
}

}  // namespace ferrite
