#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "base/mutex.h"
#include "server/cluster/cluster_member.h"

namespace ferrite::cluster {

// Who is told of new views. Thread-safe.
class ViewListeners {
 public:
  uint64_t Add(ClusterMember::Listener listener) {
    MutexLock lock(&mutex_);
    listeners_.emplace(++last_, std::move(listener));
    return last_;
  }
  // Waits while they are being called.
  void Remove(uint64_t number) {
    MutexLock lock(&mutex_);
    listeners_.erase(number);
  }
  void CallAll() {
    MutexLock lock(&mutex_);
    for (const auto& [number, listener] : listeners_) listener();
  }

 private:
  Mutex mutex_;
  uint64_t last_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, ClusterMember::Listener> listeners_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite::cluster
