#pragma once

// The HTTP side of a node: /metrics for Prometheus, /healthz and /readyz for probes.

#include <prometheus/collectable.h>
#include <sys/types.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/net/address.h"
#include "server/net/http_server.h"

namespace ferrite {

struct HttpOptions {
  std::vector<Address> addresses;
  mode_t unix_mode = ServerSockets::kUnixMode;  // of the files of Unix domain sockets
  size_t most_connections = HttpServer::kMaxConnections;
  std::optional<HttpTls> tls;  // what is served over TCP is served over TLS
  // Whether somebody whose request has these headers `Authorization` may read the metrics; called
  // on the one thread that serves. Empty: everybody may.
  std::function<absl::Status(const std::vector<std::string_view>& authorization)> may_scrape;
};

// Thread-safe.
class HttpEndpoint {
 public:
  // Starts to serve. The collectables must outlive the endpoint. Fails with the address and the
  // reason in the text.
  static absl::StatusOr<std::unique_ptr<HttpEndpoint>> Start(
      HttpOptions options, std::vector<const prometheus::Collectable*> metrics);
  HttpEndpoint(const HttpEndpoint&) = delete;
  HttpEndpoint& operator=(const HttpEndpoint&) = delete;

  // With the ports that were bound.
  const std::vector<Address>& addresses() const { return server_.addresses(); }

  // What /readyz says: 200 when ready, 503 when not, as at first. /healthz says 200 for as long as
  // it answers at all.
  void set_ready(bool ready) { ready_ = ready; }

  const HttpServer& server() const { return server_; }

 private:
  HttpEndpoint(HttpOptions options, std::vector<const prometheus::Collectable*> metrics)
      : options_(std::move(options)), metrics_(std::move(metrics)) {}

  HttpReply Answer(const HttpRequest& request) const;
  HttpReply Metrics(const HttpRequest& request) const;

  const HttpOptions options_;
  const std::vector<const prometheus::Collectable*> metrics_;
  std::atomic<bool> ready_{false};
  HttpServer server_{[this](const HttpRequest& request) { return Answer(request); }};
};

}  // namespace ferrite
