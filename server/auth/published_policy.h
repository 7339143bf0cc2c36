#pragma once

// The policy of this moment, which one thread replaces while others use it. As with the view of a
// cluster (published_view.h), each thread keeps the one that it saw last, so that calls do not meet
// at a count of references.

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/mutex.h"
#include "server/auth/loaded_policy.h"

namespace ferrite {

// Thread-safe.
class PublishedPolicy {
 public:
  // One that denies everything, until another is published.
  PublishedPolicy() { Publish(std::make_shared<const LoadedPolicy>()); }

  // Replaces it: whoever asks from now on gets this one.
  void Publish(std::shared_ptr<const LoadedPolicy> policy) {
    MutexLock lock(&mutex_);
    policy_ = std::move(policy);
    number_.store(last_number_.fetch_add(1) + 1, std::memory_order_release);
  }

  // No two policies of this process have the same.
  uint64_t number() const { return number_.load(std::memory_order_acquire); }

  // The policy of this moment; the reference is good until this thread asks again.
  const std::shared_ptr<const LoadedPolicy>& Now() const {
    thread_local Known known;
    // Asked first: a policy that comes in between is then taken again.
    if (const uint64_t now = number(); known.number != now) [[unlikely]] {
      MutexLock lock(&mutex_);
      known.policy = policy_;
      known.number = now;
    }
    return known.policy;
  }

 private:
  struct Known {
    uint64_t number = 0;
    std::shared_ptr<const LoadedPolicy> policy;
  };

  static inline std::atomic<uint64_t> last_number_{0};
  std::atomic<uint64_t> number_{0};
  mutable Mutex mutex_;
  std::shared_ptr<const LoadedPolicy> policy_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
