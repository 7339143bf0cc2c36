#pragma once

// Who calls, by the policy of this moment; and the streams that have to be looked at when it
// changes.

#include <cstdint>
#include <map>
#include <memory>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "server/auth/identity.h"
#include "server/auth/published_policy.h"
#include "server/engine/rpc.h"
#include "server/engine/waker.h"

namespace ferrite {

// A caller as a policy knew it, and that policy.
struct KnownCaller {
  uint64_t number = 0;  // of the policy (PublishedPolicy::number)
  std::shared_ptr<const LoadedPolicy> policy;
  Identity who;
};

// Thread-safe.
class AccessControl {
 public:
  // `policy` must outlive it.
  explicit AccessControl(const PublishedPolicy* policy) : policy_(*policy) {}

  // Who calls, for the length of this turn; this and the next two also tell the caller its
  // namespace.
  Identity Identify(const Caller& caller) const;
  // The same, and the policy with it, for longer.
  KnownCaller Know(const Caller& caller) const;
  // Whether that is still so.
  bool StillHolds(const KnownCaller& known) const;
  // Of a stream of frames, which is asked for each of them.
  const Identity& IdentifyStream(Turn* turn) const;

  const LoadedPolicy& policy() const { return *policy_.Now(); }

  // Has a stream woken when the policy changes, until Unwatch(number).
  uint64_t Watch(Waker waker);
  void Unwatch(uint64_t number);
  // The policy has changed.
  void WakeStreams();

 private:
  const PublishedPolicy& policy_;
  Mutex mutex_;
  uint64_t last_stream_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Waker> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
