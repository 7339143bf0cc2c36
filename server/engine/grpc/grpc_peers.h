#pragma once

// Connections to other nodes over gRPC, whose events come to the queue of a serving thread.

#include <grpcpp/resource_quota.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "server/dial/dial_credentials.h"
#include "server/engine/grpc/queue_thread.h"
#include "server/engine/peer_stream.h"

namespace ferrite {

// See PeerConnector for threads and lifetimes.
class GrpcPeers final : public PeerConnector {
 public:
  // What this node shows to others: the metadata `authorization`, asked for anew for each stream;
  // empty: none.
  using Authorization = std::function<std::string()>;

  // `thread` must outlive it, and the channels' streams. A stream that brings a larger message
  // ends. What is buffered counts in `quota`, which must outlive it.
  GrpcPeers(QueueThread* thread, size_t max_message_bytes, const grpc::ResourceQuota& quota,
            DialCredentials credentials, Authorization authorization)
      : thread_(*thread),
        max_message_bytes_(max_message_bytes),
        quota_(quota),
        credentials_(std::move(credentials)),
        authorization_(std::move(authorization)) {}
  std::unique_ptr<PeerChannel> Connect(const std::string& address) override;

 private:
  QueueThread& thread_;
  const size_t max_message_bytes_;
  const grpc::ResourceQuota& quota_;
  const DialCredentials credentials_;
  const Authorization authorization_;
};

}  // namespace ferrite
