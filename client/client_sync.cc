// The synchronous and the short forms of a client's calls.

#include <utility>

#include "client/await.h"
#include "client/client.h"

namespace ferrite {

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
absl::StatusOr<v1::WhoAmIResponse> Client::WhoAmI(const CallOptions& options) {
  return Await<v1::WhoAmIResponse>([&](auto done) { WhoAmIAsync(options, std::move(done)); });
}
absl::StatusOr<v1::GetPolicyResponse> Client::GetPolicy(const CallOptions& options) {
  return Await<v1::GetPolicyResponse>([&](auto done) { GetPolicyAsync(options, std::move(done)); });
}
absl::StatusOr<v1::PutPolicyResponse> Client::PutPolicy(v1::PutPolicyRequest request,
                                                        const CallOptions& options) {
  return Await<v1::PutPolicyResponse>(
      [&](auto done) { PutPolicyAsync(std::move(request), options, std::move(done)); });
}
absl::StatusOr<v1::CanResponse> Client::Can(v1::CanRequest request, const CallOptions& options) {
  return Await<v1::CanResponse>(
      [&](auto done) { CanAsync(std::move(request), options, std::move(done)); });
}
absl::StatusOr<v1::IssueTokenResponse> Client::IssueToken(v1::IssueTokenRequest request,
                                                          const CallOptions& options) {
  return Await<v1::IssueTokenResponse>(
      [&](auto done) { IssueTokenAsync(std::move(request), options, std::move(done)); });
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
