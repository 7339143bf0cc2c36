#include "client/remote_node.h"

#include <utility>

#include "client/channel.h"

namespace ferrite {

NodeConnection::NodeConnection(const std::string& address) : NodeConnection(MakeChannel(address)) {}

NodeConnection::NodeConnection(const std::shared_ptr<grpc::Channel>& channel)
    : cache(channel), admin(channel), health(channel), frames(channel) {}

RemoteNode::RemoteNode(std::string address, int connections) : address_(std::move(address)) {
  for (int i = 0; i < connections; ++i) {
    connections_.push_back(std::make_unique<NodeConnection>(address_));
  }
}

NodeConnection& RemoteNode::NextConnection() {
  return *connections_[turn_.fetch_add(1, std::memory_order_relaxed) % connections_.size()];
}

}  // namespace ferrite
