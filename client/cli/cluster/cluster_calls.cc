#include "client/cli/cluster/cluster_calls.h"

#include <utility>

#include "client/channel.h"
#include "client/error.h"
#include "client/steady_time.h"

namespace ferrite::cli {

ClusterCalls::ClusterCalls(std::string server, const Credentials& credentials,
                           absl::Duration timeout)
    : server_(std::move(server)), timeout_(timeout), stub_(MakeChannel(server_, credentials)) {}

template <typename Request, typename Response>
absl::StatusOr<Response> ClusterCalls::Call(grpc::Status (v1::ClusterService::Stub::*method)(
                                                grpc::ClientContext*, const Request&, Response*),
                                            const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(GrpcTimeIn(absl::ToChronoNanoseconds(timeout_)));
  Response response;
  const grpc::Status status = (stub_.*method)(&context, request, &response);
  if (!status.ok()) return ToAbslStatus(status, server_, timeout_);
  return response;
}

absl::StatusOr<v1::GetTopologyResponse> ClusterCalls::GetTopology() {
  return Call(&v1::ClusterService::Stub::GetTopology, v1::GetTopologyRequest());
}

absl::StatusOr<v1::DrainResponse> ClusterCalls::Drain(const v1::DrainRequest& request) {
  return Call(&v1::ClusterService::Stub::Drain, request);
}

absl::StatusOr<v1::RebalanceResponse> ClusterCalls::Rebalance(const v1::RebalanceRequest& request) {
  return Call(&v1::ClusterService::Stub::Rebalance, request);
}

TopologyStream::TopologyStream(std::string server, const Credentials& credentials,
                               absl::Duration timeout)
    : server_(std::move(server)),
      timeout_(timeout),
      stub_(MakeChannel(server_, credentials)),
      reader_(stub_.PrepareAsyncWatchTopology(&context_, {}, &queue_)) {
  reader_->StartCall(this);
}

TopologyStream::~TopologyStream() {
  context_.TryCancel();
  void* tag;
  bool ok;
  if (pending_) queue_.Next(&tag, &ok);
  queue_.Shutdown();
  while (queue_.Next(&tag, &ok)) {
  }
}

bool TopologyStream::Next(absl::Duration wait, v1::GetTopologyResponse* response) {
  const gpr_timespec deadline = GrpcTimeIn(absl::ToChronoNanoseconds(wait));
  for (;;) {
    if (over_) return false;
    void* tag;
    bool ok;
    if (queue_.AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) return false;
    pending_ = false;
    if (!ok) {
      over_ = true;
      return false;
    }
    const bool is_message = std::exchange(started_, true);
    if (is_message) {
      *response->mutable_topology() = std::move(*message_.mutable_topology());
      *response->mutable_witness() = std::move(*message_.mutable_witness());
    }
    pending_ = true;
    reader_->Read(&message_, this);
    if (is_message) return true;
  }
}

absl::Status TopologyStream::End() {
  grpc::Status status;
  void* tag;
  bool ok;
  reader_->Finish(&status, this);
  queue_.Next(&tag, &ok);
  return ToAbslStatus(status, server_, timeout_);
}

}  // namespace ferrite::cli
