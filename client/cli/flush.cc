#include <unistd.h>

#include <iostream>

#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"

namespace ferrite::cli {
namespace {

struct FlushArguments {
  bool yes = false;
};

absl::Status Confirm(const Session& session) {
  if (!isatty(STDIN_FILENO)) {
    return absl::FailedPreconditionError(
        "nobody is there to confirm this; --yes deletes everything without asking");
  }
  std::cerr << "Delete every entry of " << session.server << "? Type yes: " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer != "yes") return absl::CancelledError("nothing was deleted");
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> RunFlush(Session& session, const FlushArguments& arguments) {
  if (!arguments.yes) {
    if (absl::Status status = Confirm(session); !status.ok()) return status;
  }
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  const absl::StatusOr<v1::FlushResponse> reply = (*client)->Flush();
  if (!reply.ok()) return reply.status();
  if (session.json) {
    PrintJson({{"deleted", reply->deleted()}});
  } else {
    PrintLine(
        absl::StrCat("deleted ", reply->deleted(), reply->deleted() == 1 ? " entry" : " entries"));
  }
  return ExitCode::kOk;
}

}  // namespace

void AddFlush(CLI::App& app, Session& session) {
  auto flush = std::make_shared<FlushArguments>();
  CLI::App* command = AddCommand(app, session, "flush", "Delete every entry", flush, RunFlush);
  command->add_flag("--yes", flush->yes, "Do not ask");
}

}  // namespace ferrite::cli
