#pragma once

// Who calls, by the policy of this moment; and the streams that have to be looked at when it
// changes.

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "server/access/audited.h"
#include "server/auth/identity.h"
#include "server/auth/published_policy.h"
#include "server/engine/rpc.h"
#include "server/engine/waker.h"

namespace ferrite {

// A caller as a policy knew it. The policy itself is not kept, or what waits for long would keep
// each that was replaced meanwhile: whoever looks at the rights asks StillHolds() first.
struct KnownCaller {
  uint64_t policy = 0;  // LoadedPolicy::number
  Identity who;
};

// Thread-safe.
class AccessControl {
 public:
  // Both must outlive it. `audit` is told of denials; null: nobody is.
  explicit AccessControl(const PublishedPolicy* policy, AuditLog* audit = nullptr)
      : policy_(*policy), audit_(audit) {}

  // Who calls; this and the next two also tell the caller its namespace. The rights are good until
  // this thread asks anything of this class again.
  Identity Identify(const Caller& caller) const;
  // The same for longer, with the number of the policy.
  KnownCaller Know(const Caller& caller) const;
  // Whether that is still so, by the policy of this moment.
  bool StillHolds(const KnownCaller& known) const;
  // Of a stream of frames, which is asked for each of them.
  const Identity& IdentifyStream(Turn* turn) const;

  // Whose the request_ids of this caller are: the same on every node, and nothing but a hash of the
  // principal.
  std::string ScopeOf(const Caller& caller) const;

  // The policy of this moment.
  std::shared_ptr<const LoadedPolicy> policy() const { return policy_.Now(); }

  // Denies something to a caller: Denied() of it.
  const absl::Status& Deny(const Identity& who, const Caller& caller, const Wish& wish) const;
  AuditLog* audit() const { return audit_; }

  // Has a stream woken when the policy changes, until Unwatch(number).
  uint64_t Watch(Waker waker);
  void Unwatch(uint64_t number);
  // The policy has changed.
  void WakeStreams();

 private:
  const PublishedPolicy& policy_;
  AuditLog* const audit_;
  Mutex mutex_;
  uint64_t last_stream_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Waker> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
