#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/bytes.h"
#include "client/cli/commands.h"
#include "client/cli/options.h"

namespace ferrite::cli {
namespace {

constexpr absl::Duration kUsualTokenTime = absl::Minutes(10);

struct AuthArguments {
  std::string action;
  std::string verb;
  std::string name;
  bool has_name = false;
  bool is_prefix = false;
  bool is_channel = false;
  std::string principal;
  // Of issue.
  std::vector<std::string> verbs;
  std::vector<std::string> key_prefixes;
  std::vector<std::string> channels;
  std::vector<std::string> channel_prefixes;
  std::optional<absl::Duration> ttl;
};

const char* NameOf(v1::CredentialKind kind) {
  switch (kind) {
    case v1::CREDENTIAL_KIND_CERTIFICATE:
      return "certificate";
    case v1::CREDENTIAL_KIND_TOKEN:
      return "token";
    case v1::CREDENTIAL_KIND_JWT:
      return "jwt";
    case v1::CREDENTIAL_KIND_DISPOSABLE:
      return "disposable";
    default:
      return "none";
  }
}

absl::StatusOr<ExitCode> PrintWhoAmI(const Session& session, Client& client) {
  const absl::StatusOr<v1::WhoAmIResponse> reply = client.WhoAmI();
  if (!reply.ok()) return reply.status();
  const std::vector<std::string> roles(reply->roles().begin(), reply->roles().end());
  if (session.json) {
    nlohmann::ordered_json who = {{"principal", reply->principal()},
                                  {"credential", NameOf(reply->credential())},
                                  {"roles", roles},
                                  {"has_policy", reply->has_policy()}};
    if (!reply->namespace_().empty()) who["namespace"] = reply->namespace_();
    if (reply->has_expires_at_unix_ms()) who["expires_at_unix_ms"] = reply->expires_at_unix_ms();
    PrintJson(who);
    return ExitCode::kOk;
  }
  PrintLine(absl::StrCat("principal   ", DisplayText(reply->principal())));
  PrintLine(absl::StrCat("credential  ", NameOf(reply->credential())));
  if (!reply->has_policy()) {
    PrintLine("roles       none: the server has no policy, so everybody may do everything");
    return ExitCode::kOk;
  }
  PrintLine(absl::StrCat("roles       ",
                         roles.empty() ? "none" : DisplayText(absl::StrJoin(roles, ", "))));
  if (!reply->namespace_().empty())
    PrintLine(absl::StrCat("namespace   ", DisplayText(reply->namespace_())));
  if (reply->has_expires_at_unix_ms()) {
    PrintLine(absl::StrCat(
        "expires     ",
        absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", absl::FromUnixMillis(reply->expires_at_unix_ms()),
                         absl::UTCTimeZone())));
  }
  return ExitCode::kOk;
}

absl::StatusOr<v1::CanRequest> RequestOf(const Session& session, const AuthArguments& arguments) {
  v1::CanRequest request;
  request.set_verb(UnprotectArgument(arguments.verb));
  request.set_principal(UnprotectArgument(arguments.principal));
  if (!arguments.has_name) return request;
  absl::StatusOr<std::string> name = session.Bytes(arguments.name);
  if (!name.ok()) return name.status();
  if (arguments.is_channel) {
    arguments.is_prefix ? request.set_channel_prefix(*std::move(name))
                        : request.set_channel(*std::move(name));
  } else {
    arguments.is_prefix ? request.set_key_prefix(*std::move(name))
                        : request.set_key(*std::move(name));
  }
  return request;
}

std::string Described(const v1::Grant& grant) {
  const std::string of_role = absl::StrCat("role ", DisplayText(grant.role()));
  if (grant.name().empty() && !grant.is_prefix()) return of_role;
  if (grant.name().empty()) return absl::StrCat(of_role, ": all");
  return absl::StrCat(of_role, grant.is_prefix() ? ": all that begin with " : ": ",
                      DisplayText(grant.name()));
}

void PrintAnswer(const Session& session, const v1::CanResponse& reply, bool explain) {
  if (session.json) {
    nlohmann::ordered_json answer = {{"allowed", reply.allowed()},
                                     {"principal", reply.principal()}};
    if (explain) {
      answer["grants"] = nlohmann::ordered_json::array();
      for (const v1::Grant& grant : reply.grants()) {
        answer["grants"].push_back({{"role", grant.role()},
                                    {"name", JsonBytes(grant.name())},
                                    {"is_prefix", grant.is_prefix()}});
      }
    }
    return PrintJson(answer);
  }
  PrintLine(reply.allowed() ? "yes" : "no");
  if (!explain) return;
  for (const v1::Grant& grant : reply.grants()) PrintLine(Described(grant));
  if (reply.grants().empty()) {
    PrintLine(absl::StrCat(
        reply.allowed()
            ? "the server has no policy"
            : absl::StrCat("no role of ", DisplayText(reply.principal()), " allows it")));
  }
}

absl::Status AddNames(const Session& session, const std::vector<std::string>& from,
                      google::protobuf::RepeatedPtrField<std::string>* to) {
  for (const std::string& text : from) {
    absl::StatusOr<std::string> name = session.Bytes(text);
    if (!name.ok()) return name.status();
    *to->Add() = *std::move(name);
  }
  return absl::OkStatus();
}

// Prints the token and nothing else, so that it can be put into a file or a variable.
absl::StatusOr<ExitCode> PrintToken(const Session& session, Client& client,
                                    const AuthArguments& arguments) {
  v1::IssueTokenRequest request;
  for (const std::string& verb : arguments.verbs) request.add_verbs(UnprotectArgument(verb));
  absl::Status status = AddNames(session, arguments.key_prefixes, request.mutable_key_prefixes());
  if (status.ok()) status = AddNames(session, arguments.channels, request.mutable_channels());
  if (status.ok())
    status = AddNames(session, arguments.channel_prefixes, request.mutable_channel_prefixes());
  if (!status.ok()) return status;
  request.set_ttl_ms(absl::ToInt64Milliseconds(arguments.ttl.value_or(kUsualTokenTime)));
  const absl::StatusOr<v1::IssueTokenResponse> reply = client.IssueToken(std::move(request));
  if (!reply.ok()) return reply.status();
  if (session.json) {
    const nlohmann::ordered_json token = {{"token", reply->token()},
                                          {"expires_at_unix_ms", reply->expires_at_unix_ms()}};
    PrintJson(token);
  } else {
    PrintLine(reply->token());
  }
  return ExitCode::kOk;
}

void CheckForIssue(const AuthArguments& arguments, bool has_verb) {
  const bool has_names = !arguments.key_prefixes.empty() || !arguments.channels.empty() ||
                         !arguments.channel_prefixes.empty();
  if (arguments.action != "issue") {
    if (has_names || !arguments.verbs.empty() || arguments.ttl.has_value()) {
      throw CLI::ValidationError("--verb, --key-prefix, --channel-name, --channel-prefix and --ttl",
                                 "are for auth issue");
    }
    return;
  }
  if (has_verb) throw CLI::ValidationError("VERB", "auth issue takes its verbs by --verb");
  if (arguments.verbs.empty()) throw CLI::RequiredError("--verb");
  if (!has_names) throw CLI::RequiredError("--key-prefix, --channel-name or --channel-prefix");
}

absl::StatusOr<ExitCode> RunAuth(Session& session, const AuthArguments& arguments) {
  const absl::StatusOr<Client*> client = session.ConnectToServer();
  if (!client.ok()) return client.status();
  if (arguments.action == "whoami") return PrintWhoAmI(session, **client);
  if (arguments.action == "issue") return PrintToken(session, **client, arguments);
  absl::StatusOr<v1::CanRequest> request = RequestOf(session, arguments);
  if (!request.ok()) return request.status();
  const absl::StatusOr<v1::CanResponse> reply = (*client)->Can(*std::move(request));
  if (!reply.ok()) return reply.status();
  PrintAnswer(session, *reply, arguments.action == "explain");
  return reply->allowed() ? ExitCode::kOk : ExitCode::kMiss;
}

}  // namespace

void AddAuth(CLI::App& app, Session& session) {
  auto auth = std::make_shared<AuthArguments>();
  CLI::App* command = AddCommand(
      app, session, "auth",
      "Print whom the server takes you for: auth whoami; whether its policy allows something: auth "
      "can VERB [NAME]; which roles allow it: auth explain VERB [NAME]; or a token with a part of "
      "your rights: auth issue --verb read --key-prefix session:",
      auth, RunAuth);
  command->add_option("ACTION", auth->action, "whoami, can, explain or issue")
      ->transform(CLI::IsMember({"whoami", "can", "explain", "issue"}, CLI::ignore_case))
      ->required();
  CLI::Option* verb = command->add_option("VERB", auth->verb,
                                          "What is to be done: read, write, delete, scan, publish, "
                                          "subscribe, invoke, admin or metrics");
  CLI::Option* name =
      command->add_option("NAME", auth->name, "To which key or channel; of admin: none");
  command->add_flag("--prefix", auth->is_prefix, "NAME stands for all that begin with it");
  command->add_flag("--channel", auth->is_channel, "NAME is a channel; as publish says by itself");
  command
      ->add_option("--principal", auth->principal,
                   "Who is to do it, such as token:shop; you, if not given")
      ->type_name("NAME");
  command
      ->add_option("--verb", auth->verbs,
                   "With issue: what the token allows: read, write, delete, scan, publish, "
                   "subscribe; several with commas or repeated")
      ->delimiter(',')
      ->type_name("VERB");
  command
      ->add_option("--key-prefix", auth->key_prefixes,
                   "With issue: on keys that begin so; may be repeated")
      ->type_name("PREFIX");
  command
      ->add_option("--channel-name", auth->channels, "With issue: on this channel; may be repeated")
      ->type_name("CHANNEL");
  command
      ->add_option("--channel-prefix", auth->channel_prefixes,
                   "With issue: on channels that begin so; may be repeated")
      ->type_name("PREFIX");
  AddDuration(command, "--ttl", &auth->ttl, "With issue: for how long, up to 1h; 10m, if not given",
              absl::Seconds(1), absl::Hours(1));
  command->parse_complete_callback([auth, verb, name] {
    auth->has_name = !name->empty();
    auth->is_channel |= auth->verb == "publish";
    CheckForIssue(*auth, !verb->empty());
    if (auth->action == "issue") return;
    if (auth->action != "whoami" && verb->empty()) throw CLI::RequiredError("VERB");
    if (auth->action == "whoami" && !verb->empty()) {
      throw CLI::ValidationError("VERB", "auth whoami takes no VERB; write ferrite auth can " +
                                             UnprotectArgument(auth->verb));
    }
  });
}

}  // namespace ferrite::cli
