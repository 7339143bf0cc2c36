#pragma once

// How each request is sent: one specialization for each kind.

#include "etcd/rpc.grpc.pb.h"
#include "server/cluster/etcd/etcd_tally.h"

namespace ferrite::cluster {

// Response, kOp, and either PrepareCall, or, where etcd has a stream of requests and answers,
// PrepareStream.
template <typename Request>
struct EtcdMethod;

template <>
struct EtcdMethod<etcdserverpb::TxnRequest> {
  using Response = etcdserverpb::TxnResponse;
  static constexpr EtcdOp kOp = EtcdOp::kTxn;
  static auto PrepareCall(const std::shared_ptr<grpc::Channel>& channel,
                          grpc::ClientContext* context, const etcdserverpb::TxnRequest& request,
                          grpc::CompletionQueue* queue) {
    return etcdserverpb::KV::Stub(channel).PrepareAsyncTxn(context, request, queue);
  }
};

template <>
struct EtcdMethod<etcdserverpb::LeaseGrantRequest> {
  using Response = etcdserverpb::LeaseGrantResponse;
  static constexpr EtcdOp kOp = EtcdOp::kLeaseGrant;
  static auto PrepareCall(const std::shared_ptr<grpc::Channel>& channel,
                          grpc::ClientContext* context,
                          const etcdserverpb::LeaseGrantRequest& request,
                          grpc::CompletionQueue* queue) {
    return etcdserverpb::Lease::Stub(channel).PrepareAsyncLeaseGrant(context, request, queue);
  }
};

template <>
struct EtcdMethod<etcdserverpb::LeaseRevokeRequest> {
  using Response = etcdserverpb::LeaseRevokeResponse;
  static constexpr EtcdOp kOp = EtcdOp::kLeaseRevoke;
  static auto PrepareCall(const std::shared_ptr<grpc::Channel>& channel,
                          grpc::ClientContext* context,
                          const etcdserverpb::LeaseRevokeRequest& request,
                          grpc::CompletionQueue* queue) {
    return etcdserverpb::Lease::Stub(channel).PrepareAsyncLeaseRevoke(context, request, queue);
  }
};

template <>
struct EtcdMethod<etcdserverpb::LeaseKeepAliveRequest> {
  using Response = etcdserverpb::LeaseKeepAliveResponse;
  static constexpr EtcdOp kOp = EtcdOp::kLeaseKeepAlive;
  static auto PrepareStream(const std::shared_ptr<grpc::Channel>& channel,
                            grpc::ClientContext* context, grpc::CompletionQueue* queue) {
    return etcdserverpb::Lease::Stub(channel).PrepareAsyncLeaseKeepAlive(context, queue);
  }
};

}  // namespace ferrite::cluster
