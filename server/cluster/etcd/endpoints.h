#pragma once

// The members of an etcd cluster, and which of them is asked.

#include <grpcpp/channel.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "server/dial/dial_credentials.h"

namespace ferrite::cluster {

// An answer that is larger is refused unread: all records of as many nodes as there may be.
inline constexpr int kMaxEtcdAnswerBytes = 16 << 20;

// Thread-safe.
class Endpoints {
 public:
  // Begins with the one at `first`, modulo their number: nodes that begin with different ones share
  // the load. `addresses` are HOST:PORT, at least one.
  Endpoints(const std::vector<std::string>& addresses, const DialCredentials& credentials,
            size_t first);

  size_t size() const { return members_.size(); }
  size_t current() const { return current_.load(std::memory_order_relaxed); }
  // From now on the next is asked, unless another than `failed` is asked already.
  void MoveOnFrom(size_t failed) {
    current_.compare_exchange_strong(failed, (failed + 1) % members_.size(),
                                     std::memory_order_relaxed);
  }

  const std::shared_ptr<grpc::Channel>& channel(size_t place) const {
    return members_[place].channel;
  }
  const std::string& address(size_t place) const { return members_[place].address; }

 private:
  struct Member {
    std::string address;
    std::shared_ptr<grpc::Channel> channel;
  };
  std::vector<Member> members_;
  std::atomic<size_t> current_;
};

}  // namespace ferrite::cluster
