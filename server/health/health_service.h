#pragma once

// The standard health service (grpc.health.v1) on a queue of ours. gRPC has one too, but that is
// made of callbacks, and a server with any callback gets threads that poll the connections beside
// the queues' own: calls are then read by one thread and served by another, which cost a third of
// the server's CPU.

#include <atomic>
#include <unordered_set>

#include "grpc/health/v1/health.grpc.pb.h"
#include "server/engine/queue_thread.h"

namespace ferrite {

// Must outlive the queue.
class HealthService {
 public:
  HealthService() = default;
  HealthService(const HealthService&) = delete;
  HealthService& operator=(const HealthService&) = delete;

  grpc::Service* service() { return &service_; }

  // Answers on the queue of `thread`. The server must be running, the thread not yet.
  void ServeOn(QueueThread* thread);

  // Whether the server and each of its services serve: not until this is called. Thread-safe; the
  // thread must run by then, and not have been stopped.
  void SetServing(bool serving);

 private:
  using Service = grpc::health::v1::Health::AsyncService;
  using Request = grpc::health::v1::HealthCheckRequest;
  using Response = grpc::health::v1::HealthCheckResponse;

  class CheckCall;
  class WatchCall;

  // SERVICE_UNKNOWN if there is no service of that name.
  Response::ServingStatus StatusOf(const std::string& service) const;

  Service service_;
  QueueThread* thread_ = nullptr;
  std::atomic<bool> serving_{false};
  std::unordered_set<WatchCall*> watches_;  // used only on the queue's thread
};

}  // namespace ferrite
