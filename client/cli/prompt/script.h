#pragma once

// Commands that come one after the other.

#include <string_view>

#include "client/cli/session.h"

namespace ferrite::cli {

// Runs the command that `line` is, with the settings of `session`, and prints what is wrong with
// it. A line without words does nothing. The word `ferrite` may come first.
ExitCode RunLine(const Session& session, std::string_view line);

// Whether `line` says that no more is to come: exit, or quit.
bool IsFarewell(std::string_view line);

// Runs the lines of the open descriptor `file` to its end, a farewell or an interruption, also
// after failures, each of which is reported with its line. Returns the worst outcome.
ExitCode RunScript(const Session& session, int file);

}  // namespace ferrite::cli
