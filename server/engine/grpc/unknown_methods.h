#pragma once

// Answers calls of methods that no service has. gRPC would as well, but tells nobody of it.

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server_builder.h>

#include "server/engine/grpc/queue_thread.h"

namespace ferrite {

// Must outlive the server.
class UnknownMethods {
 public:
  void RegisterWith(grpc::ServerBuilder* builder) {
    builder->RegisterAsyncGenericService(&service_);
  }
  // Has the thread, which is not running yet, wait for such calls.
  void Arm(QueueThread* thread);

 private:
  class UnknownCall;

  grpc::AsyncGenericService service_;
};

}  // namespace ferrite
