#pragma once

// Why a call, or an operation, is denied. No text says what exists.

#include "absl/status/status.h"
#include "server/auth/identity.h"

namespace ferrite {

// Of something that this caller may not do: UNAUTHENTICATED if its credential is none, or it has
// none, or else PERMISSION_DENIED.
const absl::Status& Denied(const Identity& who);
// The same of a stream that was allowed when it began.
const absl::Status& NoLongerAllowed(const Identity& who);

// UNAUTHENTICATED: what came as a credential is none, or was one.
const absl::Status& CredentialInvalid();
const absl::Status& CredentialExpired();

}  // namespace ferrite
