#pragma once

// The calls of ClusterService, which concern the node that is called and no other.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/credentials.h"
#include "ferrite/v1/cluster.grpc.pb.h"
#include "grpcpp/client_context.h"

namespace ferrite::cli {

// Not thread-safe.
class ClusterCalls {
 public:
  ClusterCalls(std::string server, const Credentials& credentials, absl::Duration timeout);

  absl::StatusOr<v1::GetTopologyResponse> GetTopology();
  absl::StatusOr<v1::DrainResponse> Drain(const v1::DrainRequest& request);
  absl::StatusOr<v1::RebalanceResponse> Rebalance(const v1::RebalanceRequest& request);

 private:
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (v1::ClusterService::Stub::*method)(
                                    grpc::ClientContext*, const Request&, Response*),
                                const Request& request);

  const std::string server_;
  const absl::Duration timeout_;
  v1::ClusterService::Stub stub_;
};

// The topologies that a node tells, one after the other. Not thread-safe.
class TopologyStream {
 public:
  TopologyStream(std::string server, const Credentials& credentials, absl::Duration timeout);
  ~TopologyStream();

  // Waits this long for the next; the first has to come within the timeout. Returns whether there
  // is one; if not, IsOver() tells whether the stream has ended.
  bool Next(absl::Duration wait, v1::GetTopologyResponse* response);
  bool IsOver() const { return over_; }
  // Why it has ended.
  absl::Status End();

 private:
  const std::string server_;
  const absl::Duration timeout_;
  v1::ClusterService::Stub stub_;
  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::WatchTopologyResponse>> reader_;
  v1::WatchTopologyResponse message_;
  bool started_ = false;
  bool over_ = false;
  bool pending_ = true;  // an operation is under way
};

}  // namespace ferrite::cli
