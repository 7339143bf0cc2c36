#include "client/cli/commands.h"
#include "client/cli/completion.h"

namespace ferrite::cli {
namespace {

struct CompletionArguments {
  std::string shell;
  const CLI::App* app;
};

absl::StatusOr<ExitCode> RunCompletion(Session&, const CompletionArguments& arguments) {
  if (arguments.shell == "bash") PrintBytes(BashCompletion(*arguments.app));
  if (arguments.shell == "zsh") PrintBytes(ZshCompletion(*arguments.app));
  if (arguments.shell == "fish") PrintBytes(FishCompletion(*arguments.app));
  return ExitCode::kOk;
}

}  // namespace

void AddCompletion(CLI::App& app, Session& session) {
  auto completion = std::make_shared<CompletionArguments>();
  completion->app = &app;
  CLI::App* command = AddCommand(app, session, "completion",
                                 "Print a script that teaches a shell to complete this command",
                                 completion, RunCompletion);
  command->add_option("SHELL", completion->shell, "The shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

}  // namespace ferrite::cli
