#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"
#include "client/cli/input_file.h"
#include "client/cli/options.h"
#include "client/cli/prompt/script.h"

namespace ferrite::cli {
namespace {

// How deep files of commands may name others.
constexpr int kMostNested = 8;

struct RunArguments {
  std::string file = "-";
};

absl::StatusOr<ExitCode> RunCommands(Session& session, const RunArguments& arguments) {
  Session own = session.Fork();
  if (++own.nesting > kMostNested) {
    return absl::FailedPreconditionError(
        absl::StrCat("run within run is limited to ", kMostNested, " levels"));
  }
  const std::string name = UnprotectArgument(arguments.file);
  const absl::StatusOr<std::unique_ptr<InputFile>> input = InputFile::Open(session, name);
  if (!input.ok()) return input.status();
  if (name == "-") own.input_is_taken = true;
  return RunScript(own, (*input)->file());
}

}  // namespace

void AddRun(CLI::App& app, Session& session) {
  auto run = std::make_shared<RunArguments>();
  AddCommand(app, session, "run",
             "Run the commands of a file, one a line, with quotes as in a shell; ferrite - reads "
             "them from the standard input",
             run, RunCommands)
      ->add_option("FILE", run->file, "The file; - or none: the standard input")
      ->type_name("FILE");
}

}  // namespace ferrite::cli
