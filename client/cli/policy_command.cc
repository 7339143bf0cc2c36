#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/error_text.h"
#include "client/cli/bytes.h"
#include "client/cli/commands.h"
#include "client/cli/input_file.h"
#include "client/cli/options.h"

namespace ferrite::cli {
namespace {

struct PolicyArguments {
  std::string action;
  std::string file;
  int64_t if_revision = -1;
};

absl::StatusOr<std::string> ContentOf(const Session& session, const std::string& name) {
  const absl::StatusOr<std::unique_ptr<InputFile>> input = InputFile::Open(session, name);
  if (!input.ok()) return input.status();
  std::string content;
  char piece[1 << 16];
  ssize_t size;
  while ((size = read((*input)->file(), piece, sizeof piece)) > 0)
    content.append(piece, static_cast<size_t>(size));
  if (size < 0) return absl::UnknownError(absl::StrCat(name, ": ", ErrorText(errno)));
  return content;
}

absl::StatusOr<ExitCode> PrintPolicy(const Session& session, Client& client) {
  const absl::StatusOr<v1::GetPolicyResponse> reply = client.GetPolicy();
  if (!reply.ok()) return reply.status();
  if (session.json) {
    PrintJson(
        {{"policy", JsonBytes(reply->policy())}, {"revision", std::to_string(reply->revision())}});
    return ExitCode::kOk;
  }
  PrintLine(reply->policy().substr(0, reply->policy().find_last_not_of('\n') + 1));
  PrintNote(reply->revision() == 0 ? "this is that of the node's file, as etcd has none"
                                   : absl::StrCat("revision ", reply->revision()));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunPolicy(Session& session, const PolicyArguments& arguments) {
  const absl::StatusOr<Client*> client = session.ConnectToServer();
  if (!client.ok()) return client.status();
  if (arguments.action == "get") return PrintPolicy(session, **client);
  absl::StatusOr<std::string> content = ContentOf(session, UnprotectArgument(arguments.file));
  if (!content.ok()) return content.status();
  v1::PutPolicyRequest request;
  request.set_policy(*std::move(content));
  request.set_dry_run(arguments.action == "check");
  if (arguments.if_revision >= 0) request.set_if_revision(arguments.if_revision);
  const absl::StatusOr<v1::PutPolicyResponse> reply = (*client)->PutPolicy(std::move(request));
  if (!reply.ok()) return reply.status();
  const std::string revision = std::to_string(reply->revision());
  if (session.json) {
    PrintJson({{"revision", revision}});
  } else {
    PrintLine(arguments.action == "check" ? "it could be put" : "put as revision " + revision);
  }
  return ExitCode::kOk;
}

}  // namespace

void AddPolicy(CLI::App& app, Session& session) {
  auto policy = std::make_shared<PolicyArguments>();
  CLI::App* command =
      AddCommand(app, session, "policy",
                 "Put a policy into the etcd of the cluster, for all nodes: policy put FILE; only "
                 "check it: policy check FILE; or print the one that is there: policy get",
                 policy, RunPolicy);
  command->add_option("ACTION", policy->action, "put, check or get")
      ->transform(CLI::IsMember({"put", "check", "get"}, CLI::ignore_case))
      ->required();
  CLI::Option* file =
      command->add_option("FILE", policy->file, "The policy, in YAML or JSON; -: standard input");
  command
      ->add_option("--if-revision", policy->if_revision,
                   "Put it only in the place of this one, as policy get says")
      ->type_name("REVISION");
  command->parse_complete_callback([policy, file] {
    if (policy->action != "get" && file->empty()) throw CLI::RequiredError("FILE");
    if (policy->action == "get" && !file->empty())
      throw CLI::ValidationError("FILE", "policy get takes no FILE");
  });
}

}  // namespace ferrite::cli
