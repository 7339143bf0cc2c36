#pragma once

// One node of the cache as a client sees it: its address and the connections to it. Everything that
// is sent to a node goes through here; this is where calls to one node will be gathered into
// batches.

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "client/health.h"
#include "ferrite/v1/admin.grpc.pb.h"
#include "ferrite/v1/cache.grpc.pb.h"
#include "grpcpp/generic/generic_stub.h"

namespace ferrite {

// One connection with the stubs on it.
struct Connection {
  explicit Connection(const std::string& address);

  v1::CacheService::Stub cache;
  v1::AdminService::Stub admin;
  grpc::TemplatedGenericStub<HealthRequest, HealthResponse> health;

 private:
  explicit Connection(const std::shared_ptr<grpc::Channel>& channel);
};

// Thread-safe.
class Node {
 public:
  // Connects when the first call comes.
  Node(std::string address, int connections);

  const std::string& address() const { return address_; }

  // The connection for the next try of a call; they take turns.
  Connection& NextConnection();

 private:
  const std::string address_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::atomic<size_t> turn_{0};
};

}  // namespace ferrite
