#include "client/cli/prompt/prompt.h"

#include <csignal>
#include <cstdio>
#include <iostream>

#include "absl/strings/ascii.h"
#include "client/cli/command_line.h"
#include "client/cli/command_words.h"
#include "client/cli/interrupt.h"
#include "client/cli/prompt/history_file.h"
#include "client/cli/prompt/line_editor.h"
#include "client/cli/prompt/script.h"

namespace ferrite::cli {

ExitCode RunPrompt(const Session& session) {
  Session described;  // the options of this one are never set
  const std::unique_ptr<CLI::App> app = DescribeCommands(described);
  LineEditor editor(session.servers + "> ",
                    [&](std::string_view beginning) { return OffersFor(*app, beginning); });
  HistoryFile file(HistoryPath());
  for (const std::string& line : file.Load()) editor.Remember(line);

  Session own = session.Fork();
  own.line = 0;
  PrintLine("help lists the commands, and Ctrl-D leaves.");
  FlushOutput();
  while (const std::optional<LineEditor::Line> line = editor.Read()) {
    if (line->interrupted) {
      PrintLine("");
      FlushOutput();
      if (!line->text.empty()) continue;
      RaiseAtTheEnd(SIGINT);
      return ExitCode::kOk;
    }
    const absl::string_view words = absl::StripAsciiWhitespace(line->text);
    if (words.empty()) continue;
    editor.Remember(line->text);
    file.Append(line->text);
    if (IsFarewell(line->text)) return ExitCode::kOk;
    RunLine(own, line->text);
    if (!FlushOutput()) return ExitCode::kError;
    ForgetCaughtSignal();
    std::clearerr(stdin);  // a command may have read to its end
    std::cin.clear();
  }
  PrintLine("");
  return ExitCode::kOk;
}

}  // namespace ferrite::cli
