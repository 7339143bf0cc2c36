#include "server/access/auth_handlers.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/access/token_request.h"
#include "server/auth/disposable_token.h"
#include "server/auth/jwt.h"
#include "server/call/limits.h"
#include "server/call/namespace_name.h"
#include "server/call/status.h"
#include "store/operation.h"

namespace ferrite {
namespace {

using policy::Role;
using policy::Verb;
using policy::Verbs;
using Asked = v1::CanRequest;

v1::CredentialKind ToWire(CredentialKind kind) {
  switch (kind) {
    case CredentialKind::kNone:
      return v1::CREDENTIAL_KIND_NONE;
    case CredentialKind::kCertificate:
      return v1::CREDENTIAL_KIND_CERTIFICATE;
    case CredentialKind::kToken:
      return v1::CREDENTIAL_KIND_TOKEN;
    case CredentialKind::kJwt:
      return v1::CREDENTIAL_KIND_JWT;
    case CredentialKind::kDisposable:
      return v1::CREDENTIAL_KIND_DISPOSABLE;
  }
  return v1::CREDENTIAL_KIND_UNSPECIFIED;
}

// What somebody asks about, checked.
struct Question {
  Verbs verb;
  bool of_channel = false;
  bool of_prefix = false;
  std::string_view name;
};

absl::Status ReadVerb(const Asked& request, Question* question) {
  const std::optional<Verb> verb = policy::VerbNamed(request.verb());
  if (!verb.has_value()) {
    return InvalidArgument(v1::FIELD_OUT_OF_RANGE,
                           "verb must be one of " + absl::StrJoin(policy::AllVerbNames(), ", "));
  }
  question->verb = *verb;
  return absl::OkStatus();
}

absl::Status ReadSubject(const Asked& request, Question* question) {
  switch (request.subject_case()) {
    case Asked::kKey:
      question->name = request.key();
      return CheckKey(request.key());
    case Asked::kKeyPrefix:
      question->name = request.key_prefix();
      question->of_prefix = true;
      break;
    case Asked::kChannel:
      question->name = request.channel();
      question->of_channel = true;
      if (!request.channel().empty()) break;
      return InvalidArgument(v1::CHANNEL_EMPTY,
                             "the channel is empty; a channel has 1 to 4096 bytes");
    case Asked::kChannelPrefix:
      question->name = request.channel_prefix();
      question->of_channel = question->of_prefix = true;
      break;
    case Asked::SUBJECT_NOT_SET:
      return absl::OkStatus();
  }
  if (question->name.size() <= kMaxKeyBytes) return absl::OkStatus();
  return InvalidArgument(
      question->of_channel ? v1::CHANNEL_TOO_LARGE : v1::KEY_TOO_LARGE,
      "the subject has " + std::to_string(question->name.size()) + " bytes; the limit is 4096");
}

absl::Status Read(const Asked& request, Question* question) {
  if (absl::Status status = ReadVerb(request, question); !status.ok()) return status;
  if (absl::Status status = ReadSubject(request, question); !status.ok()) return status;
  const bool has_subject = request.subject_case() != Asked::SUBJECT_NOT_SET;
  const bool is_of_node = policy::kVerbsOfNode.Have(question->verb);
  const Verbs fitting = question->of_channel ? policy::kVerbsOfChannels : policy::kVerbsOfKeys;
  if (is_of_node ? !has_subject : has_subject && fitting.Have(question->verb))
    return absl::OkStatus();
  return InvalidArgument(v1::CONTRADICTION,
                         "the verb " + request.verb() +
                             (is_of_node             ? " has no key and no channel"
                              : !has_subject         ? " needs a key, a channel or a prefix"
                              : question->of_channel ? " is not about channels"
                                                     : " is not about keys"));
}

bool IsAllowed(const policy::Rights& rights, const Question& question) {
  if (policy::kVerbsOfNode.Have(question.verb)) return rights.MayOnNode(question.verb);
  if (question.of_channel) {
    return question.of_prefix ? rights.MayOnChannelsWith(question.verb, question.name)
                              : rights.MayOnChannel(question.verb, question.name);
  }
  return question.of_prefix ? rights.MayOnKeysWith(question.verb, question.name)
                            : rights.MayOnKey(question.verb, question.name);
}

void AddGrant(const std::string& role, std::string_view name, bool is_prefix,
              v1::CanResponse* response) {
  v1::Grant* const grant = response->add_grants();
  grant->set_role(role);
  grant->set_name(std::string(name));
  grant->set_is_prefix(is_prefix);
}

// The rules of a role that allow it, each by itself.
void AddGrants(const Role& role, const std::string& role_name, const Question& question,
               v1::CanResponse* response) {
  if (!role.verbs.Have(question.verb)) return;
  if (policy::kVerbsOfNode.Have(question.verb)) return AddGrant(role_name, "", false, response);
  const auto& prefixes = question.of_channel ? role.channel_prefixes : role.key_prefixes;
  for (const std::string& prefix : prefixes) {
    if (question.name.starts_with(prefix)) AddGrant(role_name, prefix, true, response);
  }
  if (question.of_prefix) return;
  for (const std::string& name : question.of_channel ? role.channels : role.keys) {
    if (question.name == name) AddGrant(role_name, name, false, response);
  }
}

}  // namespace

absl::Status AuthHandlers::WhoAmI(const v1::WhoAmIRequest&, v1::WhoAmIResponse* response) {
  if (access_ == nullptr) {
    response->set_principal(std::string(policy::kAnonymous));
    response->set_credential(v1::CREDENTIAL_KIND_NONE);
    return absl::OkStatus();
  }
  const std::shared_ptr<const LoadedPolicy> loaded = access_->policy();
  const Identity who = loaded->Identify(*current_caller);
  if (!who.problem.ok()) return who.problem;
  response->set_has_policy(true);
  response->set_principal(who.principal);
  response->set_credential(ToWire(who.kind));
  if (who.name_space != nullptr) response->set_namespace_(*who.name_space);
  for (const std::string& role : loaded->policy().RolesOf(who.principal)) response->add_roles(role);
  if (who.expires != Identity::WallClock::time_point::max()) {
    response->set_expires_at_unix_ms(who.expires.time_since_epoch() / std::chrono::milliseconds(1));
  }
  return absl::OkStatus();
}

absl::Status AuthHandlers::Can(const v1::CanRequest& request, v1::CanResponse* response) {
  Question question;
  if (access_ == nullptr) {
    if (absl::Status status = Read(request, &question); !status.ok()) return status;
    response->set_allowed(true);
    response->set_principal(request.principal().empty() ? std::string(policy::kAnonymous)
                                                        : request.principal());
    return absl::OkStatus();
  }
  const std::shared_ptr<const LoadedPolicy> loaded = access_->policy();
  const Identity who = loaded->Identify(*current_caller);
  if (!who.problem.ok()) return who.problem;
  const bool about_itself = request.principal().empty() || request.principal() == who.principal;
  // Others may be at home in any namespace.
  const bool may_ask_of_others = who.rights->may_administer() && who.name_space == nullptr;
  if (!about_itself && !may_ask_of_others)
    return access_->Deny(who, *current_caller, {.method = Method::kCan, .verbs = Verb::kAdmin});
  if (absl::Status status = Read(request, &question); !status.ok()) return status;
  const std::string principal = about_itself ? who.principal : request.principal();
  const policy::Policy& policy = loaded->policy();
  response->set_principal(principal);
  // Oneself is asked about where one is.
  const policy::Rights& rights = about_itself ? *who.rights : policy.RightsOf(principal);
  const std::string_view home = policy.HomeOf(principal);
  const std::string_view here = !about_itself               ? home
                                : who.name_space == nullptr ? kDefaultNamespace
                                                            : std::string_view(*who.name_space);
  response->set_allowed(IsAllowed(rights, question));
  // A disposable token may have less than its principal.
  if (!response->allowed()) return absl::OkStatus();
  policy.ForEachRoleOf(principal, [&](const std::string& name, const Role& role) {
    if (role.HoldsIn(here, home)) AddGrants(role, name, question, response);
  });
  return absl::OkStatus();
}

absl::Status AuthHandlers::IssueToken(const v1::IssueTokenRequest& request,
                                      v1::IssueTokenResponse* response) {
  const std::shared_ptr<const LoadedPolicy> loaded =
      access_ == nullptr ? nullptr : access_->policy();
  if (loaded == nullptr || loaded->signer() == nullptr) {
    return MakeError(absl::StatusCode::kFailedPrecondition, v1::NO_TOKEN_KEY,
                     "this server gives out no tokens: it needs --policy and --token-key");
  }
  const Identity who = loaded->Identify(*current_caller);
  if (!who.problem.ok()) return who.problem;
  // Neither nobody in particular nor who has such a token hands anything on.
  const bool may_hand_on =
      who.kind != CredentialKind::kNone && who.kind != CredentialKind::kDisposable;
  // Nor anybody what holds in another namespace than its own, as the token does not name one.
  const bool is_at_home = who.rights == &loaded->policy().RightsOf(who.principal);
  if (!may_hand_on || !is_at_home || who.principal.size() > kMaxSubjectBytes)
    return access_->Deny(who, *current_caller, {.method = Method::kIssueToken});
  policy::Role may;
  if (absl::Status status = ReadTokenRequest(request, &may); !status.ok()) return status;
  const Verbs verbs = may.verbs;
  if (!Covers(*who.rights, may))
    return access_->Deny(who, *current_caller, {.method = Method::kIssueToken, .verbs = verbs});
  const auto now = Identity::WallClock::now();
  // Whoever checks the token allows for clocks that differ, as was done for the caller's.
  const auto last = who.kind == CredentialKind::kJwt ? who.expires - kJwtLeeway : who.expires;
  const auto expires = std::min<Identity::WallClock::time_point>(
      now + std::chrono::milliseconds(request.ttl_ms()), last);
  response->set_token(
      MakeDisposableToken({who.principal, std::move(may), expires}, *loaded->signer(), now));
  response->set_expires_at_unix_ms(expires.time_since_epoch() / std::chrono::milliseconds(1));
  TellTokenIssued(
      access_->audit(), who, *current_caller, verbs,
      absl::StrCat(request.key_prefixes_size(), " key prefixes, ", request.channels_size(),
                   " channels, ", request.channel_prefixes_size(), " channel prefixes, for ",
                   request.ttl_ms(), " ms"));
  return absl::OkStatus();
}

}  // namespace ferrite
