#include "client/client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/await.h"
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

constexpr uint32_t kOnlyNode = 0;

absl::Status CheckSeed(const std::string& seed) {
  const size_t colon = seed.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == seed.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", seed, "\" is not an address of the form host:port or unix:path"));
  }
  if (absl::StartsWith(seed, "unix:") || absl::StartsWith(seed, "unix-abstract:"))
    return absl::OkStatus();
  // gRPC would take what is no number for the name of a service, and a number modulo 65536.
  int port = 0;
  if (!absl::SimpleAtoi(seed.substr(colon + 1), &port) || port < 1 || port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", seed, "\": the port is not a number from 1 to 65535"));
  }
  return absl::OkStatus();
}

absl::Status CheckOptions(const ClientOptions& options) {
  if (options.seeds.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("exactly one seed is needed for now, not ", options.seeds.size()));
  }
  if (absl::Status status = CheckSeed(options.seeds.front()); !status.ok()) return status;
  if (options.default_timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("default_timeout must be above 0");
  }
  const RetryPolicy& retry = options.retry;
  if (retry.max_attempts < 1) {
    return absl::InvalidArgumentError("retry.max_attempts must be at least 1");
  }
  if (retry.initial_backoff <= absl::ZeroDuration() || retry.max_backoff < retry.initial_backoff) {
    return absl::InvalidArgumentError(
        "retry.initial_backoff must be above 0 and not above retry.max_backoff");
  }
  if (options.channels_per_node < 1 || options.channels_per_node > 64) {
    return absl::InvalidArgumentError("channels_per_node must be 1 to 64");
  }
  if (options.completion_threads < 1 || options.completion_threads > 64) {
    return absl::InvalidArgumentError("completion_threads must be 1 to 64");
  }
  const int frames = options.batching.max_frames_in_flight;
  if (frames < 1 || frames > 64) {
    return absl::InvalidArgumentError("batching.max_frames_in_flight must be 1 to 64");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> Client::Create(const ClientOptions& options) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  return std::unique_ptr<Client>(new Client(std::make_unique<Core>(options)));
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
  auto waiting = std::make_shared<WaitingEvents>(std::max<size_t>(options.max_waiting_events, 1),
                                                 request.resume_token());
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
  CallTerms terms = core_->TermsAt(kOnlyNode, IsRepeatable(request), options);
  (new ScanCall(core_->NextThread(), std::move(terms), std::move(request), std::move(done)))
      ->Start();
}

void Client::InfoAsync(const CallOptions& options, Callback<v1::InfoResponse> done) {
  core_->CallNode(kAdmin<&Admin::PrepareAsyncInfo>, kOnlyNode, v1::InfoRequest(), options,
                  std::move(done));
}
void Client::StatsAsync(const CallOptions& options, Callback<v1::StatsResponse> done) {
  core_->CallNode(kAdmin<&Admin::PrepareAsyncStats>, kOnlyNode, v1::StatsRequest(), options,
                  std::move(done));
}
void Client::FlushAsync(const CallOptions& options, Callback<v1::FlushResponse> done) {
  core_->CallNode(kAdmin<&Admin::PrepareAsyncFlush>, kOnlyNode, v1::FlushRequest(), options,
                  std::move(done));
}
void Client::SlowLogAsync(v1::SlowLogRequest request, const CallOptions& options,
                          Callback<v1::SlowLogResponse> done) {
  core_->CallNode(kAdmin<&Admin::PrepareAsyncSlowLog>, kOnlyNode, std::move(request), options,
                  std::move(done));
}
void Client::ResetSlowLogAsync(const CallOptions& options,
                               Callback<v1::ResetSlowLogResponse> done) {
  core_->CallNode(kAdmin<&Admin::PrepareAsyncResetSlowLog>, kOnlyNode, v1::ResetSlowLogRequest(),
                  options, std::move(done));
}
void Client::GetConfigAsync(v1::GetConfigRequest request, const CallOptions& options,
                            Callback<v1::GetConfigResponse> done) {
  core_->CallNode(kAdmin<&Admin::PrepareAsyncGetConfig>, kOnlyNode, std::move(request), options,
                  std::move(done));
}
void Client::SetConfigAsync(v1::SetConfigRequest request, const CallOptions& options,
                            Callback<v1::SetConfigResponse> done) {
  core_->CallNode(kAdmin<&Admin::PrepareAsyncSetConfig>, kOnlyNode, std::move(request), options,
                  std::move(done));
}

void Client::IsServingAsync(std::string service, const CallOptions& options, Callback<bool> done) {
  HealthCheckRequest request;
  request.set_service(std::move(service));
  core_->CallNode<HealthCheckRequest, HealthCheckResponse>(
      kHealthCheck, kOnlyNode, std::move(request), options,
      [done = std::move(done)](absl::StatusOr<HealthCheckResponse> health) mutable {
        health.ok() ? done(health->status() == HealthCheckResponse::SERVING_STATUS_SERVING)
                    : done(health.status());
      });
}

absl::StatusOr<v1::GetResponse> Client::Get(v1::GetRequest request, const CallOptions& options) {
  return Await<v1::GetResponse>(
      [&](auto done) { GetAsync(std::move(request), options, std::move(done)); });
}
absl::StatusOr<v1::SetResponse> Client::Set(v1::SetRequest request, const CallOptions& options) {
  return Await<v1::SetResponse>(
      [&](auto done) { SetAsync(std::move(request), options, std::move(done)); });
}
absl::StatusOr<v1::DeleteResponse> Client::Delete(v1::DeleteRequest request,
                                                  const CallOptions& options) {
  return Await<v1::DeleteResponse>(
      [&](auto done) { DeleteAsync(std::move(request), options, std::move(done)); });
}
absl::StatusOr<v1::TouchResponse> Client::Touch(v1::TouchRequest request,
                                                const CallOptions& options) {
  return Await<v1::TouchResponse>(
      [&](auto done) { TouchAsync(std::move(request), options, std::move(done)); });
}
absl::StatusOr<v1::IncrResponse> Client::Incr(v1::IncrRequest request, const CallOptions& options) {
  return Await<v1::IncrResponse>(
      [&](auto done) { IncrAsync(std::move(request), options, std::move(done)); });
}
absl::StatusOr<v1::PublishResponse> Client::Publish(v1::PublishRequest request,
                                                    const CallOptions& options) {
  return Await<v1::PublishResponse>(
      [&](auto done) { PublishAsync(std::move(request), options, std::move(done)); });
}
absl::StatusOr<v1::ExistsResponse> Client::Exists(v1::ExistsRequest request,
                                                  const CallOptions& options) {
  return Await<v1::ExistsResponse>(
      [&](auto done) { ExistsAsync(std::move(request), options, std::move(done)); });
}
absl::StatusOr<v1::MGetResponse> Client::MGet(v1::MGetRequest request, const CallOptions& options) {
  return Await<v1::MGetResponse>(
      [&](auto done) { MGetAsync(std::move(request), options, std::move(done)); });
}
absl::StatusOr<v1::MSetResponse> Client::MSet(v1::MSetRequest request, const CallOptions& options) {
  return Await<v1::MSetResponse>(
      [&](auto done) { MSetAsync(std::move(request), options, std::move(done)); });
}
absl::StatusOr<v1::MDeleteResponse> Client::MDelete(v1::MDeleteRequest request,
                                                    const CallOptions& options) {
  return Await<v1::MDeleteResponse>(
      [&](auto done) { MDeleteAsync(std::move(request), options, std::move(done)); });
}
absl::StatusOr<v1::ScanResponse> Client::ScanPage(v1::ScanRequest request,
                                                  const CallOptions& options) {
  return Await<v1::ScanResponse>(
      [&](auto done) { ScanPageAsync(std::move(request), options, std::move(done)); });
}
absl::StatusOr<v1::InfoResponse> Client::Info(const CallOptions& options) {
  return Await<v1::InfoResponse>([&](auto done) { InfoAsync(options, std::move(done)); });
}
absl::StatusOr<v1::StatsResponse> Client::Stats(const CallOptions& options) {
  return Await<v1::StatsResponse>([&](auto done) { StatsAsync(options, std::move(done)); });
}
absl::StatusOr<v1::FlushResponse> Client::Flush(const CallOptions& options) {
  return Await<v1::FlushResponse>([&](auto done) { FlushAsync(options, std::move(done)); });
}
absl::StatusOr<v1::SlowLogResponse> Client::SlowLog(v1::SlowLogRequest request,
                                                    const CallOptions& options) {
  return Await<v1::SlowLogResponse>(
      [&](auto done) { SlowLogAsync(std::move(request), options, std::move(done)); });
}
absl::StatusOr<v1::ResetSlowLogResponse> Client::ResetSlowLog(const CallOptions& options) {
  return Await<v1::ResetSlowLogResponse>(
      [&](auto done) { ResetSlowLogAsync(options, std::move(done)); });
}
absl::StatusOr<v1::GetConfigResponse> Client::GetConfig(v1::GetConfigRequest request,
                                                        const CallOptions& options) {
  return Await<v1::GetConfigResponse>(
      [&](auto done) { GetConfigAsync(std::move(request), options, std::move(done)); });
}
absl::StatusOr<v1::SetConfigResponse> Client::SetConfig(v1::SetConfigRequest request,
                                                        const CallOptions& options) {
  return Await<v1::SetConfigResponse>(
      [&](auto done) { SetConfigAsync(std::move(request), options, std::move(done)); });
}
absl::StatusOr<bool> Client::IsServing(std::string service, const CallOptions& options) {
  return Await<bool>(
      [&](auto done) { IsServingAsync(std::move(service), options, std::move(done)); });
}

absl::Status Client::Scan(v1::ScanRequest request,
                          absl::FunctionRef<bool(const v1::ScanEntry& entry)> visit,
                          const CallOptions& options) {
  const uint32_t limit = request.limit();
  uint32_t seen = 0;
  while (true) {
    if (limit != 0) request.set_limit(limit - seen);
    const absl::StatusOr<v1::ScanResponse> page = ScanPage(request, options);
    if (!page.ok()) return page.status();
    for (const v1::ScanEntry& entry : page->entries()) {
      if (!visit(entry)) return absl::OkStatus();
      if (++seen == limit) return absl::OkStatus();
    }
    if (page->cursor().empty()) return absl::OkStatus();
    request.set_cursor(page->cursor());
  }
}

absl::StatusOr<v1::GetResponse> Client::Get(std::string_view key) {
  v1::GetRequest request;
  request.set_key(key.data(), key.size());
  return Get(std::move(request));
}

absl::StatusOr<v1::SetResponse> Client::Set(std::string_view key, std::string_view value,
                                            absl::Duration ttl) {
  v1::SetRequest request;
  request.set_key(key.data(), key.size());
  request.set_value(value.data(), value.size());
  if (ttl != absl::InfiniteDuration()) request.set_ttl_ms(absl::ToInt64Milliseconds(ttl));
  return Set(std::move(request));
}

absl::StatusOr<v1::DeleteResponse> Client::Delete(std::string_view key) {
  v1::DeleteRequest request;
  request.set_key(key.data(), key.size());
  return Delete(std::move(request));
}

absl::StatusOr<v1::IncrResponse> Client::Incr(std::string_view key, int64_t delta) {
  v1::IncrRequest request;
  request.set_key(key.data(), key.size());
  request.set_delta(delta);
  return Incr(std::move(request));
}

absl::StatusOr<v1::PublishResponse> Client::Publish(std::string_view channel,
                                                    std::string_view payload) {
  v1::PublishRequest request;
  request.set_channel(channel.data(), channel.size());
  request.set_payload(payload.data(), payload.size());
  return Publish(std::move(request));
}

absl::StatusOr<v1::MGetResponse> Client::MGet(const std::vector<std::string>& keys) {
  v1::MGetRequest request;
  request.mutable_keys()->Assign(keys.begin(), keys.end());
  return MGet(std::move(request));
}

}  // namespace ferrite
