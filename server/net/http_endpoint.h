#pragma once

// The HTTP side of a node: /metrics for Prometheus, /healthz and /readyz for probes.

#include <prometheus/collectable.h>
#include <sys/types.h>

#include <atomic>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "server/net/address.h"
#include "server/net/http_server.h"

namespace ferrite {

// Thread-safe.
class HttpEndpoint {
 public:
  // Starts to serve. The collectables must outlive the endpoint. A Unix domain socket gets the
  // permissions `unix_mode`. Fails with the address and the reason in the text.
  static absl::StatusOr<std::unique_ptr<HttpEndpoint>> Start(
      const std::vector<Address>& addresses, mode_t unix_mode,
      std::vector<const prometheus::Collectable*> metrics,
      size_t most_connections = HttpServer::kMaxConnections);
  HttpEndpoint(const HttpEndpoint&) = delete;
  HttpEndpoint& operator=(const HttpEndpoint&) = delete;

  // With the ports that were bound.
  const std::vector<Address>& addresses() const { return server_.addresses(); }

  // What /readyz says: 200 when ready, 503 when not, as at first. /healthz says 200 for as long as
  // it answers at all.
  void set_ready(bool ready) { ready_ = ready; }

  const HttpServer& server() const { return server_; }

 private:
  explicit HttpEndpoint(std::vector<const prometheus::Collectable*> metrics)
      : metrics_(std::move(metrics)) {}

  HttpReply Answer(const HttpRequest& request) const;
  HttpReply Metrics(std::string_view accept_encoding) const;

  const std::vector<const prometheus::Collectable*> metrics_;
  std::atomic<bool> ready_{false};
  HttpServer server_{[this](const HttpRequest& request) { return Answer(request); }};
};

}  // namespace ferrite
