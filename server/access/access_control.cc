#include "server/access/access_control.h"

#include <utility>

#include "server/auth/denial.h"
#include "server/auth/sha256.h"
#include "server/engine/call.h"

namespace ferrite {
namespace {

// Of somebody whose stream began in another namespace than that of his calls now: no right.
Identity ElsewhereNow(const KnownCaller& began, const Identity& now) {
  static const policy::Rights none;
  return {.principal = now.principal,
          .kind = now.kind,
          .problem = NoLongerAllowed(now),
          .rights = &none,
          .name_space = began.who.name_space,
          .own_rights = nullptr,
          .expires = now.expires};
}

bool IsOver(const Identity& who) {
  return who.expires != Identity::WallClock::time_point::max() &&
         who.expires <= Identity::WallClock::now();
}

}  // namespace

Identity AccessControl::Identify(const Caller& caller) const {
  Identity who = policy_.Now()->Identify(caller);
  caller.SetNamespace(who.name_space);
  return who;
}

KnownCaller AccessControl::Know(const Caller& caller) const {
  const LoadedPolicy& policy = *policy_.Now();
  KnownCaller known = {.policy = policy.number(), .who = policy.Identify(caller)};
  caller.SetNamespace(known.who.name_space);
  return known;
}

bool AccessControl::StillHolds(const KnownCaller& known) const {
  return known.policy == policy_.Now()->number() && !IsOver(known.who);
}

const Identity& AccessControl::IdentifyStream(Turn* turn) const {
  thread_local KnownCaller of_turn;
  if (turn->call() == nullptr) return (of_turn = Know(turn->caller())).who;
  std::shared_ptr<void>& kept = turn->call()->keepsake();
  auto* known = static_cast<KnownCaller*>(kept.get());
  if (known == nullptr || !StillHolds(*known)) {
    auto now = std::make_shared<KnownCaller>(Know(turn->caller()));
    // What it has sent is meant for the namespace that it began with.
    if (known != nullptr && known->who.name_space != now->who.name_space)
      now->who = ElsewhereNow(*known, now->who);
    known = now.get();
    kept = std::move(now);
  }
  return known->who;
}

const absl::Status& AccessControl::Deny(const Identity& who, const Caller& caller,
                                        const Wish& wish) const {
  const absl::Status& denied = Denied(who);
  TellDenied(audit_, who, caller, wish, denied);
  return denied;
}

std::string AccessControl::ScopeOf(const Caller& caller) const {
  constexpr size_t kScopeBytes = 16;
  const policy::Digest digest = Sha256(policy_.Now()->Identify(caller).principal);
  return {digest.begin(), digest.begin() + kScopeBytes};
}

uint64_t AccessControl::Watch(Waker waker) {
  MutexLock lock(&mutex_);
  streams_.emplace(++last_stream_, std::move(waker));
  return last_stream_;
}

void AccessControl::Unwatch(uint64_t number) {
  MutexLock lock(&mutex_);
  streams_.erase(number);
}

void AccessControl::WakeStreams() {
  MutexLock lock(&mutex_);
  for (const auto& [number, waker] : streams_) waker.Wake();
}

}  // namespace ferrite
