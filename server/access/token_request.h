#pragma once

// What somebody asks a disposable token for, checked.

#include "absl/status/status.h"
#include "ferrite/v1/admin.pb.h"
#include "server/policy/policy.h"

namespace ferrite {

// INVALID_ARGUMENT, with the field and the limit, if it asks for something that no token can have,
// or for nothing.
absl::Status ReadTokenRequest(const v1::IssueTokenRequest& request, policy::Role* may);

// Whether somebody with these rights may do all of that.
bool Covers(const policy::Rights& rights, const policy::Role& may);

}  // namespace ferrite
