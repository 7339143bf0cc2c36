// `ferrite`: the cache from the command line.

#include <csignal>
#include <cstdlib>

#include "base/standard_descriptors.h"
#include "client/cli/command_line.h"
#include "client/cli/interrupt.h"
#include "client/cli/server_address.h"
#include "client/cli/tls_choice.h"
#include "client/cli/token_choice.h"

FERRITE_OPEN_STANDARD_DESCRIPTORS;

namespace ferrite::cli {
namespace {

// Ends as the system would have ended it, so that a shell sees why, and its loops stop, too.
[[noreturn]] void EndBySignal(int signal) {
  std::signal(signal, SIG_DFL);
  std::raise(signal);
  std::_Exit(128 + signal);  // it is blocked
}

int Main(int argc, char** argv) {
  ExitCode exit_code;
  {
    Session session;
    const char* server = std::getenv("FERRITE_SERVER");
    if (server != nullptr && *server != '\0') session.servers = CallableAddresses(server);
    absl::StatusOr<TlsOptions> tls = TlsOfEnvironment();
    if (!tls.ok()) {
      PrintError(session, tls.status());
      return static_cast<int>(ExitCode::kError);
    }
    session.tls = *std::move(tls);
    session.token = TokenOfEnvironment();
    const char* const name_space = std::getenv("FERRITE_NAMESPACE");
    if (name_space != nullptr) session.name_space = name_space;
    exit_code = RunWords(session, std::vector<std::string>(argv + 1, argv + argc));
    const bool written = FlushOutput();
    if (!written && !ReaderIsGone()) {
      PrintError(session, absl::DataLossError("cannot write to the standard output"));
      exit_code = ExitCode::kError;
    }
  }
  if (const int signal = CaughtSignal(); signal != 0) EndBySignal(signal);
  if (ReaderIsGone()) EndBySignal(SIGPIPE);
  return static_cast<int>(exit_code);
}

}  // namespace
}  // namespace ferrite::cli

int main(int argc, char** argv) { return ferrite::cli::Main(argc, argv); }
