#pragma once

// Connections to other nodes over gRPC, whose events come to the queue of a serving thread.

#include <memory>
#include <string>

#include "server/engine/grpc/queue_thread.h"
#include "server/engine/peer_stream.h"

namespace ferrite {

// See PeerConnector for threads and lifetimes.
class GrpcPeers final : public PeerConnector {
 public:
  // `thread` must outlive it, and the channels' streams. A stream that brings a larger message
  // ends.
  GrpcPeers(QueueThread* thread, size_t max_message_bytes)
      : thread_(*thread), max_message_bytes_(max_message_bytes) {}
  std::unique_ptr<PeerChannel> Connect(const std::string& address) override;

 private:
  QueueThread& thread_;
  const size_t max_message_bytes_;
};

}  // namespace ferrite
