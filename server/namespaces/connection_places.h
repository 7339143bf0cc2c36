#pragma once

// The connections that use a namespace: each from its first call on, until it has made none for a
// while. gRPC does not tell when a connection ends.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"

namespace ferrite {

// Thread-safe.
class ConnectionPlaces {
 public:
  using Clock = std::chrono::steady_clock;

  // A connection that makes no call for so long gives its place to others.
  static constexpr std::chrono::seconds kKept{30};

  // 0: no limit, and nothing is counted.
  void Limit(size_t most) { most_.store(most, std::memory_order_relaxed); }

  // A call of a connection begins; false if there is no place for it.
  bool Take(uint64_t connection, Clock::time_point now) {
    const size_t most = most_.load(std::memory_order_relaxed);
    if (most == 0) [[likely]]
      return true;
    MutexLock lock(&mutex_);
    if (const auto found = used_.find(connection); found != used_.end()) {
      found->second = now;
      return true;
    }
    // Looked for at most once in a while: whoever is refused comes again and again.
    if (used_.size() >= most && now - looked_ >= kKept / 30) {
      looked_ = now;
      absl::erase_if(used_, [now](const auto& each) { return now - each.second > kKept; });
    }
    if (used_.size() >= most) return false;
    used_.emplace(connection, now);
    return true;
  }

  size_t count() const {
    MutexLock lock(&mutex_);
    return used_.size();
  }

 private:
  std::atomic<size_t> most_{0};
  mutable Mutex mutex_;
  absl::flat_hash_map<uint64_t, Clock::time_point> used_ ABSL_GUARDED_BY(mutex_);
  Clock::time_point looked_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
