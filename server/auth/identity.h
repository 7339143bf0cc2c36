#pragma once

// Who made a call, as a policy knows it.

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "server/policy/rights.h"

namespace ferrite {

// What a caller showed to say who it is, in the order in which it counts.
enum class CredentialKind { kNone, kCertificate, kToken, kJwt, kDisposable };

struct Identity {
  using WallClock = std::chrono::system_clock;

  std::string principal;
  CredentialKind kind = CredentialKind::kNone;
  // Why the credential is none: UNAUTHENTICATED. Then there is neither principal nor right.
  absl::Status problem;
  // Of the policy that it was found by, for as long as that is there. Never null.
  const policy::Rights* rights = nullptr;
  // Which `rights` are those in; null: default (namespace_name.h).
  const std::string* name_space = nullptr;
  // Of a disposable token: these, as they are its own.
  std::shared_ptr<const policy::Rights> own_rights;
  WallClock::time_point expires = WallClock::time_point::max();  // the credential
};

}  // namespace ferrite
