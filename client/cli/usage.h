#pragma once

// How a command line that cannot be understood is answered: with the word that is wrong, what was
// most likely meant, and how the command is used.

#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"

namespace ferrite::cli {

// The commands that `app` has.
std::vector<const CLI::App*> CommandsOf(const CLI::App& app);

// "Usage: ferrite set [OPTIONS] KEY VALUE".
std::string UsageOf(const CLI::App& command);

// That `app` has no such command, and which one was meant.
std::string UnknownCommand(const CLI::App& app, const std::string& word);

// What is wrong with the command line that `app` did not take, in one line.
std::string ComplaintOf(const CLI::App& app, const CLI::ParseError& error);

// INVALID_ARGUMENT of a command that was used in a way that cannot be: its usage is printed, too.
absl::Status WrongUse(std::string_view what);
bool IsWrongUse(const absl::Status& status);

// The command of `app` that was named, the innermost one; `app` itself if there was none.
const CLI::App& ChosenCommand(const CLI::App& app);

}  // namespace ferrite::cli
