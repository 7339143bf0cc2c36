#pragma once

// How much each client holds of something that all of them share.

#include <cstddef>
#include <string>
#include <utility>

#include "absl/container/node_hash_map.h"
#include "base/mutex.h"

namespace ferrite {

// Thread-safe. Remembers only clients that hold something.
class ClientShares {
 public:
  // A client and its bytes; stays where it is for as long as it holds any.
  using Share = std::pair<const std::string, size_t>;

  size_t BytesOf(const std::string& client) const {
    MutexLock lock(&mutex_);
    const auto share = shares_.find(client);
    return share == shares_.end() ? 0 : share->second;
  }
  // `bytes` is at least 1.
  Share* Add(const std::string& client, size_t bytes) {
    MutexLock lock(&mutex_);
    Share& share = *shares_.try_emplace(client, 0).first;
    share.second += bytes;
    return &share;
  }
  // Takes back what was added.
  void Remove(Share* share, size_t bytes) {
    MutexLock lock(&mutex_);
    share->second -= bytes;
    if (share->second == 0) shares_.erase(shares_.find(share->first));
  }

 private:
  mutable Mutex mutex_;
  absl::node_hash_map<std::string, size_t> shares_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
