// `ferrite`: the cache from the command line.

#include <cstdio>

#include "client/cli/commands.h"
#include "client/cli/options.h"
#include "client/cli/server_address.h"

namespace ferrite::cli {
namespace {

void AddGlobalOptions(CLI::App& app, Session& session) {
  app.set_version_flag("--version", "ferrite " FERRITE_VERSION);
  app.add_option("--server", session.server,
                 "Address of the server, or unix:PATH of its Unix domain socket")
      ->type_name("HOST:PORT")
      ->transform(CallableAddress)
      ->envname("FERRITE_SERVER")
      ->capture_default_str();
  app.add_flag("--json", session.json,
               R"(Print JSON; bytes that are no UTF-8 as {"base64": "..."})");
  app.add_flag("--base64", session.base64, "Keys and values on the command line are base64");
  AddDuration(&app, "--timeout", &session.timeout, "How long a call may take; 5s if not given");
}

void AddCommands(CLI::App& app, Session& session) {
  AddGet(app, session);
  AddSet(app, session);
  AddDelete(app, session);
  AddIncr(app, session);
  AddExists(app, session);
  AddExpiry(app, session);
  AddScan(app, session);
  AddPublish(app, session);
  AddSubscribe(app, session);
  AddWatch(app, session);
  AddFlush(app, session);
  AddNode(app, session);
  AddSlowLog(app, session);
  AddTop(app, session);
  AddBench(app, session);
  AddCompletion(app, session);
}

ExitCode Main(int argc, char** argv) {
  Session session;
  CLI::App app(
      "The command line of the Ferrite cache.\n"
      "Exit codes: 0 a hit, or done; 1 a miss, or a condition that did not hold; 2 an error.",
      "ferrite");
  app.require_subcommand(1);
  AddGlobalOptions(app, session);
  AddCommands(app, session);
  if (argc == 1) {
    PrintNote(app.help());
    return ExitCode::kError;
  }
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {  // CLI11 wants the last one first
    arguments.push_back(ProtectBrackets(argv[i]));
  }
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    const bool asked = app.exit(error) == static_cast<int>(CLI::ExitCodes::Success);
    return asked ? ExitCode::kOk : ExitCode::kError;
  }
  const absl::StatusOr<ExitCode> exit_code = session.run(session);
  if (!exit_code.ok()) PrintError(session, exit_code.status());
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    PrintError(session, absl::DataLossError("cannot write to the standard output"));
    return ExitCode::kError;
  }
  return exit_code.value_or(ExitCode::kError);
}

}  // namespace
}  // namespace ferrite::cli

int main(int argc, char** argv) { return static_cast<int>(ferrite::cli::Main(argc, argv)); }
