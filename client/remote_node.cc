#include "client/remote_node.h"

#include "client/channel.h"

namespace ferrite {

NodeConnection::NodeConnection(const std::string& address, const Credentials& credentials)
    : NodeConnection(MakeChannel(address, credentials)) {}

NodeConnection::NodeConnection(const std::shared_ptr<grpc::Channel>& channel)
    : cache(channel), admin(channel), cluster(channel), health(channel), frames(channel) {}

const std::vector<std::unique_ptr<NodeConnection>>& RemoteNode::connections() {
  std::call_once(made_, [this] {
    for (size_t i = 0; i < connection_count_; ++i) {
      connections_.push_back(std::make_unique<NodeConnection>(address_, credentials_));
    }
  });
  return connections_;
}

NodeConnection& RemoteNode::NextConnection() {
  const auto& all = connections();
  return *all[turn_.fetch_add(1, std::memory_order_relaxed) % all.size()];
}

}  // namespace ferrite
