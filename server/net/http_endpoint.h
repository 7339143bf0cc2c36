#pragma once

// The HTTP side of a node: /metrics for Prometheus, /healthz and /readyz for probes.

#include <prometheus/collectable.h>

#include <atomic>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "server/net/address.h"

class CivetServer;

namespace ferrite {

// Thread-safe.
class HttpEndpoint {
 public:
  // Starts to serve. The collectables must outlive the endpoint. Fails with the address and the
  // reason in the text.
  static absl::StatusOr<std::unique_ptr<HttpEndpoint>> Start(
      const Address& address, std::vector<const prometheus::Collectable*> metrics);
  ~HttpEndpoint();
  HttpEndpoint(const HttpEndpoint&) = delete;
  HttpEndpoint& operator=(const HttpEndpoint&) = delete;

  // The address with the port that was bound.
  const Address& address() const { return address_; }

  // What /readyz says: 200 when ready, 503 when not, as at first. /healthz says 200 for as long as
  // it answers at all.
  void set_ready(bool ready) { ready_ = ready; }

 private:
  class Page;

  HttpEndpoint() = default;

  Address address_;
  std::atomic<bool> ready_{false};
  std::vector<std::unique_ptr<Page>> pages_;  // before the server, which uses them
  std::unique_ptr<CivetServer> server_;
};

}  // namespace ferrite
