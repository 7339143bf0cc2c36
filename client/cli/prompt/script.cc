#include "client/cli/prompt/script.h"

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "client/cli/command_line.h"
#include "client/cli/interrupt.h"
#include "client/cli/prompt/words.h"
#include "client/cli/records.h"

namespace ferrite::cli {

ExitCode RunLine(const Session& session, std::string_view line) {
  Session own = session.Fork();
  absl::StatusOr<std::vector<std::string>> words = SplitWords(line);
  if (!words.ok()) {
    PrintError(own, words.status());
    return ExitCode::kError;
  }
  if (!words->empty() && words->front() == "ferrite") words->erase(words->begin());
  return words->empty() ? ExitCode::kOk : RunWords(own, *words);
}

bool IsFarewell(std::string_view line) {
  const absl::string_view words =
      absl::StripAsciiWhitespace(absl::string_view(line.data(), line.size()));
  return words == "exit" || words == "quit";
}

ExitCode RunScript(const Session& session, int file) {
  ExitCode worst = ExitCode::kOk;
  RecordReader lines(file, '\n', kLongestRecord);
  std::string line;
  Session own = session.Fork();
  while (CaughtSignal() == 0 && !OutputFailed()) {
    const absl::StatusOr<bool> more = lines.Next(&line);
    own.line = lines.records() + (more.ok() ? 0 : 1);
    if (!more.ok()) {
      PrintError(own, more.status());
      return ExitCode::kError;
    }
    if (!*more || IsFarewell(line)) break;
    worst = Worse(worst, RunLine(own, line));
    FlushOutput();  // for those who wait for the answer before they send the next line
  }
  return worst;
}

}  // namespace ferrite::cli
