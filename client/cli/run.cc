#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"
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
  if (arguments.file == "-") {
    if (absl::Status status = session.CheckInputIsFree(); !status.ok()) return status;
    own.input_is_taken = true;
    return RunScript(own, STDIN_FILENO);
  }
  const std::string name = UnprotectArgument(arguments.file);
  const int file = open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return absl::NotFoundError(absl::StrCat("cannot open ", name, ": ", std::strerror(errno)));
  }
  const ExitCode exit_code = RunScript(own, file);
  close(file);
  return exit_code;
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
