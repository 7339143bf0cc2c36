#pragma once

// One node of the cache as a client sees it: its address and the connections to it. Calls that
// share frames use client/pipeline instead.

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "client/acceptance.h"
#include "client/credentials.h"
#include "client/reachability.h"
#include "client/silence.h"
#include "ferrite/internal/v1/standard.pb.h"
#include "ferrite/v1/admin.grpc.pb.h"
#include "ferrite/v1/cache.grpc.pb.h"
#include "ferrite/v1/cluster.grpc.pb.h"
#include "grpcpp/generic/generic_stub.h"

namespace ferrite {

// One connection with the stubs on it.
struct NodeConnection {
  NodeConnection(const std::string& address, const Credentials& credentials);

  v1::CacheService::Stub cache;
  v1::AdminService::Stub admin;
  v1::ClusterService::Stub cluster;
  grpc::TemplatedGenericStub<internal::v1::HealthCheckRequest, internal::v1::HealthCheckResponse>
      health;
  grpc::GenericStub frames;  // of CacheService.Pipeline, as bytes

 private:
  explicit NodeConnection(const std::shared_ptr<grpc::Channel>& channel);
};

// Thread-safe.
class RemoteNode {
 public:
  // Costs little until it is called: there may be thousands of nodes. The first call connects.
  RemoteNode(std::string address, int connections, Credentials credentials)
      : address_(std::move(address)),
        connection_count_(connections),
        credentials_(std::move(credentials)) {}

  const std::string& address() const { return address_; }

  // The connection for the next try of a call; connections take turns.
  NodeConnection& NextConnection();

  size_t connection_count() const { return connection_count_; }
  NodeConnection& connection(size_t i) { return *connections()[i]; }

  Reachability& reachability() { return reachability_; }
  Silence& silence() { return silence_; }

  // Of RPCs about keys, those of CacheService.
  Acceptance& acceptance() { return acceptance_; }

 private:
  const std::vector<std::unique_ptr<NodeConnection>>& connections();

  const std::string address_;
  const size_t connection_count_;
  const Credentials credentials_;
  std::once_flag made_;
  std::vector<std::unique_ptr<NodeConnection>> connections_;  // once they are needed
  std::atomic<size_t> turn_{0};
  Reachability reachability_;
  Silence silence_;
  Acceptance acceptance_;
};

}  // namespace ferrite
