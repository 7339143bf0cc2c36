#pragma once

// The standard health service (grpc.health.v1), served like every other. gRPC has one too, but that
// is made of callbacks, and a server with any callback gets threads that poll the connections
// beside the queues' own: calls are then read by one thread and served by another, which cost a
// third of the server's CPU.

#include <cstdint>
#include <map>
#include <string_view>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "grpc/health/v1/health.pb.h"
#include "server/engine/rpc.h"

namespace ferrite {

// Whether the server and each of its services serve: not until it is set. Thread-safe.
class Health {
 public:
  using Response = grpc::health::v1::HealthCheckResponse;

  Health() = default;
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  // Tells whoever watches. No thread that serves watches may have been stopped.
  void SetServing(bool serving);

  // Handlers. A watch goes on until its client goes or the server cancels it.
  absl::Status Check(const grpc::health::v1::HealthCheckRequest& request, Response* response) const;
  absl::Status Watch(Turn* turn);

 private:
  class Watcher;

  // Whether there is a service of that name; the empty one stands for the server.
  static bool Knows(std::string_view service);
  // SERVICE_UNKNOWN unless it is known.
  Response::ServingStatus StatusOf(bool known) const;

  mutable Mutex mutex_;
  bool serving_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t last_watcher_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Waker> watchers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
