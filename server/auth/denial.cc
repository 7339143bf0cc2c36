#include "server/auth/denial.h"

#include "server/call/status.h"

namespace ferrite {
namespace {

// Each is made once: who is denied may ask as often as others.
const absl::Status& CredentialMissing() {
  static const absl::Status missing =
      MakeError(absl::StatusCode::kUnauthenticated, v1::CREDENTIALS_MISSING,
                "this needs a credential: a certificate, or the metadata \"authorization: Bearer "
                "TOKEN\"; nothing was done");
  return missing;
}
const absl::Status& NotAllowed() {
  static const absl::Status denied =
      MakeError(absl::StatusCode::kPermissionDenied, v1::NOT_ALLOWED,
                "the policy does not allow this to the caller; nothing was done");
  return denied;
}

}  // namespace

const absl::Status& Denied(const Identity& who) {
  if (!who.problem.ok()) return who.problem;
  return who.kind == CredentialKind::kNone ? CredentialMissing() : NotAllowed();
}

const absl::Status& NoLongerAllowed(const Identity& who) {
  static const absl::Status denied =
      MakeError(absl::StatusCode::kPermissionDenied, v1::NO_LONGER_ALLOWED,
                "the policy has changed, and no longer allows this stream to the caller");
  return who.problem.ok() ? denied : who.problem;
}

const absl::Status& CredentialInvalid() {
  static const absl::Status invalid =
      MakeError(absl::StatusCode::kUnauthenticated, v1::CREDENTIALS_INVALID,
                "the credential is none that this server knows; nothing was done");
  return invalid;
}

const absl::Status& CredentialExpired() {
  static const absl::Status expired =
      MakeError(absl::StatusCode::kUnauthenticated, v1::CREDENTIALS_EXPIRED,
                "the time of the credential is over: come back with a new one; nothing was done");
  return expired;
}

}  // namespace ferrite
