#include "server/net/http_endpoint.h"

#include <prometheus/text_serializer.h>

#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/net/gzip.h"

namespace ferrite {
namespace {

constexpr char kText[] = "text/plain; charset=utf-8";
constexpr char kExposition[] = "text/plain; version=0.0.4; charset=utf-8";
constexpr char kPaths[] =
    "not found; there are\n"
    "  /metrics  for Prometheus, which needs a token if there is a policy\n"
    "  /healthz  200 while the server answers\n"
    "  /readyz   200 while it takes calls, 503 otherwise\n";

HttpReply Text(int status, std::string body) {
  return {status, {{"Content-Type", kText}, {"Cache-Control", "no-store"}}, std::move(body)};
}

HttpReply Denial(const absl::Status& why) {
  const bool asks_for_another = absl::IsUnauthenticated(why);
  HttpReply reply = Text(asks_for_another ? 401 : 403,
                         absl::StrCat(why.message(), "; /metrics is for the verb metrics\n"));
  if (asks_for_another) reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  return reply;
}

}  // namespace

absl::StatusOr<std::unique_ptr<HttpEndpoint>> HttpEndpoint::Start(
    HttpOptions options, std::vector<const prometheus::Collectable*> metrics) {
  std::unique_ptr<HttpEndpoint> endpoint(new HttpEndpoint(std::move(options), std::move(metrics)));
  const HttpOptions& chosen = endpoint->options_;
  if (absl::Status status = endpoint->server_.Start(chosen.addresses, chosen.unix_mode,
                                                    chosen.most_connections, chosen.tls);
      !status.ok())
    return status;
  return endpoint;
}

HttpReply HttpEndpoint::Answer(const HttpRequest& request) const {
  const bool metrics = request.path == "/metrics";
  const bool health = request.path == "/healthz";
  if (!metrics && !health && request.path != "/readyz") return Text(404, kPaths);
  if (request.method != "GET" && request.method != "HEAD") {
    HttpReply reply = Text(405, "this path answers to GET and HEAD\n");
    reply.headers.emplace_back("Allow", "GET, HEAD");
    return reply;
  }
  if (metrics) return Metrics(request);
  if (health) return Text(200, "ok\n");
  return ready_ ? Text(200, "ready\n") : Text(503, "not ready\n");
}

HttpReply HttpEndpoint::Metrics(const HttpRequest& request) const {
  const absl::Status allowed =
      options_.may_scrape ? options_.may_scrape(request.authorization) : absl::OkStatus();
  if (!allowed.ok()) return Denial(allowed);
  std::ostringstream text;
  for (const prometheus::Collectable* each : metrics_)
    prometheus::TextSerializer().Serialize(text, each->Collect());
  HttpReply reply{200, {{"Content-Type", kExposition}, {"Vary", "Accept-Encoding"}}, text.str()};
  if (!AcceptsGzip(request.accept_encoding)) return reply;
  if (std::optional<std::string> packed = Gzip(reply.body); packed.has_value()) {
    reply.body = *std::move(packed);
    reply.headers.emplace_back("Content-Encoding", "gzip");
  }
  return reply;
}

}  // namespace ferrite
