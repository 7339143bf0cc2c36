#pragma once

// One node of the cache as a client sees it: its address and the connections to it. What shares
// a connection in frames goes through client/pipeline.

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "client/acceptance.h"
#include "ferrite/v1/admin.grpc.pb.h"
#include "ferrite/v1/cache.grpc.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/generic/generic_stub.h"

namespace ferrite {

// One connection with the stubs on it.
struct Connection {
  explicit Connection(const std::string& address);

  v1::CacheService::Stub cache;
  v1::AdminService::Stub admin;
  grpc::health::v1::Health::Stub health;
  grpc::GenericStub frames;  // of CacheService.Pipeline, as bytes

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

  size_t connection_count() const { return connections_.size(); }
  Connection& connection(size_t i) { return *connections_[i]; }

  // Of RPCs about keys, those of CacheService.
  Acceptance& acceptance() { return acceptance_; }

 private:
  const std::string address_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::atomic<size_t> turn_{0};
  Acceptance acceptance_;
};

}  // namespace ferrite
