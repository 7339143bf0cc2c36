#include "client/cli/bytes.h"
#include "client/cli/commands.h"
#include "client/cli/options.h"
#include "client/cli/suggestion.h"
#include "client/cli/usage.h"

namespace ferrite::cli {
namespace {

struct HelpArguments {
  std::vector<std::string> words;
  const CLI::App* app;
};

absl::StatusOr<ExitCode> RunHelp(Session&, const HelpArguments& arguments) {
  const CLI::App* command = arguments.app;
  std::string path = command->get_name();
  for (const std::string& protected_word : arguments.words) {
    const std::string word = UnprotectArgument(protected_word);
    const CLI::App* next = nullptr;
    for (const CLI::App* part : CommandsOf(*command)) {
      if (part->get_name() == word) next = part;
    }
    if (next == nullptr) return absl::InvalidArgumentError(UnknownCommand(*command, word));
    command = next;
    path += " " + word;
  }
  // Not help(), which is that of the command that was chosen: this one.
  PrintBytes(command->get_formatter()->make_help(command, path, CLI::AppFormatMode::Normal));
  return ExitCode::kOk;
}

}  // namespace

void AddHelp(CLI::App& app, Session& session) {
  auto help = std::make_shared<HelpArguments>();
  help->app = &app;
  AddCommand(app, session, "help", "Print what there is, or how a command is used", help, RunHelp)
      ->add_option("COMMAND", help->words, "The command");
}

}  // namespace ferrite::cli
