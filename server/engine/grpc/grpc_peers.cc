#include "server/engine/grpc/grpc_peers.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "server/engine/grpc/grpc_peer_stream.h"

namespace ferrite {
namespace {

grpc::ChannelArguments PeerArguments(size_t max_message_bytes, const grpc::ResourceQuota& quota) {
  grpc::ChannelArguments arguments;
  arguments.SetResourceQuota(quota);
  arguments.SetMaxReceiveMessageSize(
      static_cast<int>(std::min<size_t>(max_message_bytes, std::numeric_limits<int>::max())));
  // Nothing is compressed between nodes.
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  // A connection of its own for each channel, and so for each thread.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // A node that comes back is used again within a second, also under another address. MIN also
  // limits how long an attempt to connect takes.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1000);
  // Notices a peer that vanished within 15 s, for callers without a deadline. Pings that are more
  // frequent would be taken for abuse.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  return arguments;
}

class GrpcPeerChannel final : public PeerChannel {
 public:
  GrpcPeerChannel(const std::string& address, const DialCredentials& credentials,
                  const grpc::ChannelArguments& arguments, QueueThread* thread,
                  GrpcPeers::Authorization authorization)
      : stub_(grpc::CreateCustomChannel(address, credentials.get(), arguments)),
        thread_(*thread),
        authorization_(std::move(authorization)) {}

  std::unique_ptr<PeerStream> Open(Method method, const Metadata& metadata,
                                   PeerStream::Listener* listener) override {
    Metadata with_credential = metadata;
    if (std::string shown = authorization_(); !shown.empty()) {
      with_credential.emplace_back("authorization", std::move(shown));
    }
    return std::make_unique<GrpcPeerStream>(&stub_, method, with_credential, &thread_, listener);
  }

 private:
  grpc::GenericStub stub_;
  QueueThread& thread_;
  const GrpcPeers::Authorization authorization_;
};

}  // namespace

std::unique_ptr<PeerChannel> GrpcPeers::Connect(const std::string& address) {
  return std::make_unique<GrpcPeerChannel>(
      address, credentials_, PeerArguments(max_message_bytes_, quota_), &thread_, authorization_);
}

}  // namespace ferrite
