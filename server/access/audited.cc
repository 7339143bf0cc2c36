#include "server/access/audited.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/auth/sha256.h"
#include "server/call/namespace_name.h"
#include "server/call/status.h"
#include "server/slowlog/trace_parent.h"

namespace ferrite {
namespace {

std::string_view KindName(CredentialKind kind) {
  switch (kind) {
    case CredentialKind::kNone:
      return "none";
    case CredentialKind::kCertificate:
      return "certificate";
    case CredentialKind::kToken:
      return "token";
    case CredentialKind::kJwt:
      return "jwt";
    case CredentialKind::kDisposable:
      return "disposable";
  }
  return "";
}

std::string TraceIn(const Caller& caller) {
  const std::string_view text = caller.Metadata("traceparent").value_or("");
  return ParseTraceParent(text).has_value() ? std::string(text.substr(0, 64)) : std::string();
}

AuditRecord RecordOf(std::string_view event, const Identity& who, const Caller& caller,
                     const Wish& wish) {
  const MethodName& method = NameOf(wish.method);
  return {
      .event = event,
      .principal = who.principal,
      .credential = who.problem.ok() ? KindName(who.kind) : "",
      .peer = caller.peer(),
      .trace = TraceIn(caller),
      .method = absl::StrCat(std::string(method.service), "/", std::string(method.method)),
      .name_space = who.name_space == nullptr ? std::string(kDefaultNamespace) : *who.name_space,
      .verbs = absl::StrJoin(NamesOf(wish.verbs), ","),
      .name_sha256 = wish.name.empty() ? "" : ShownHash(wish.name)};
}

}  // namespace

void TellDenied(AuditLog* log, const Identity& who, const Caller& caller, const Wish& wish,
                const absl::Status& status) {
  if (log == nullptr || !log->Admits(AuditLog::Kind::kDenied)) return;
  AuditRecord record = RecordOf("denied", who, caller, wish);
  record.reason = v1::ErrorReason_Name(ReasonOf(status));
  log->Add(std::move(record));
}

void TellAdminCall(AuditLog* log, const Identity& who, const Caller& caller, Method method) {
  if (log == nullptr || !log->Admits(AuditLog::Kind::kDone)) return;
  log->Add(RecordOf("admin_call", who, caller, {.method = method, .verbs = policy::Verb::kAdmin}));
}

void TellTokenIssued(AuditLog* log, const Identity& who, const Caller& caller, policy::Verbs verbs,
                     std::string details) {
  if (log == nullptr || !log->Admits(AuditLog::Kind::kDone)) return;
  AuditRecord record =
      RecordOf("token_issued", who, caller, {.method = Method::kIssueToken, .verbs = verbs});
  record.details = std::move(details);
  log->Add(std::move(record));
}

void TellPolicyChanged(AuditLog* log, std::string details) {
  if (log == nullptr || !log->Admits(AuditLog::Kind::kDone)) return;
  log->Add({.event = "policy_changed", .details = std::move(details)});
}

}  // namespace ferrite
