#include "client/node.h"

#include <utility>

#include "client/channel.h"

namespace ferrite {

Connection::Connection(const std::string& address) : Connection(MakeChannel(address)) {}

Connection::Connection(const std::shared_ptr<grpc::Channel>& channel)
    : cache(channel), admin(channel), health(channel), frames(channel) {}

Node::Node(std::string address, int connections) : address_(std::move(address)) {
  for (int i = 0; i < connections; ++i) {
    connections_.push_back(std::make_unique<Connection>(address_));
  }
}

Connection& Node::NextConnection() {
  return *connections_[turn_.fetch_add(1, std::memory_order_relaxed) % connections_.size()];
}

}  // namespace ferrite
