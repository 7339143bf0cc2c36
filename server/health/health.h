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

// Whether the server and each of its services serve: not until it is set. A node of a cluster may
// be unable to answer for keys for a while; it is alive all the same, and so are the services by
// which one finds out what is wrong. Thread-safe.
class Health {
 public:
  using Response = grpc::health::v1::HealthCheckResponse;

  Health() = default;
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  // Each tells whoever watches. No thread that serves watches may have been stopped.
  void SetServing(bool serving);
  // Whether CacheService serves if the server does, as it does at first.
  void SetKeysServed(bool served);

  // Handlers. A watch goes on until its client goes or the server cancels it.
  absl::Status Check(const grpc::health::v1::HealthCheckRequest& request, Response* response) const;
  absl::Status Watch(Turn* turn);

 private:
  class Watcher;

  // Whom a check asks about; not the name, which may have megabytes.
  enum class Subject { kUnknown, kServer, kKeys };

  static Subject SubjectOf(std::string_view service);
  Response::ServingStatus StatusOf(Subject subject) const;
  void Tell() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  bool serving_ ABSL_GUARDED_BY(mutex_) = false;
  bool keys_served_ ABSL_GUARDED_BY(mutex_) = true;
  uint64_t last_watcher_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Waker> watchers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
