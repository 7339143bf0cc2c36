#pragma once

// What the audit log is told of calls.

#include <string>
#include <string_view>

#include "server/audit/audit_log.h"
#include "server/auth/identity.h"
#include "server/call/caller.h"
#include "server/call/method.h"
#include "server/policy/verb.h"

namespace ferrite {

// What somebody asked for.
struct Wish {
  Method method;
  policy::Verbs verbs = {};
  std::string_view name = {};  // of a key, a channel, or what these begin with; empty: none
};

// Tells `log` that this was denied, for the reason of `status`. Thread-safe.
void TellDenied(AuditLog* log, const Identity& who, const Caller& caller, const Wish& wish,
                const absl::Status& status);
// That this call of an operator was let through.
void TellAdminCall(AuditLog* log, const Identity& who, const Caller& caller, Method method);
// That a token was given out; `details` says for what.
void TellTokenIssued(AuditLog* log, const Identity& who, const Caller& caller, policy::Verbs verbs,
                     std::string details);
// That another policy is in force.
void TellPolicyChanged(AuditLog* log, std::string details);

}  // namespace ferrite
