#pragma once

// One node of the cache as a client sees it: its address and the connections to it. Calls that
// share frames use client/pipeline instead.

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "client/acceptance.h"
#include "ferrite/internal/v1/standard.pb.h"
#include "ferrite/v1/admin.grpc.pb.h"
#include "ferrite/v1/cache.grpc.pb.h"
#include "grpcpp/generic/generic_stub.h"

namespace ferrite {

// One connection with the stubs on it.
struct NodeConnection {
  explicit NodeConnection(const std::string& address);

  v1::CacheService::Stub cache;
  v1::AdminService::Stub admin;
  grpc::TemplatedGenericStub<internal::v1::HealthCheckRequest, internal::v1::HealthCheckResponse>
      health;
  grpc::GenericStub frames;  // of CacheService.Pipeline, as bytes

 private:
  explicit NodeConnection(const std::shared_ptr<grpc::Channel>& channel);
};

// Thread-safe.
class RemoteNode {
 public:
  // The first call connects.
  RemoteNode(std::string address, int connections);

  const std::string& address() const { return address_; }

  // The connection for the next try of a call; connections take turns.
  NodeConnection& NextConnection();

  size_t connection_count() const { return connections_.size(); }
  NodeConnection& connection(size_t i) { return *connections_[i]; }

  // Of RPCs about keys, those of CacheService.
  Acceptance& acceptance() { return acceptance_; }

 private:
  const std::string address_;
  std::vector<std::unique_ptr<NodeConnection>> connections_;
  std::atomic<size_t> turn_{0};
  Acceptance acceptance_;
};

}  // namespace ferrite
