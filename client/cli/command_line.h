#pragma once

// One command of `ferrite`, from its words to its exit code.

#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "client/cli/session.h"

namespace ferrite::cli {

// The description of all commands and options, whose values go into `session`, which must outlive
// it.
std::unique_ptr<CLI::App> DescribeCommands(Session& session);

// Runs the command that `words` name, and prints its result or what is wrong with it. Without a
// command it opens the prompt on a terminal, and prints the help elsewhere.
ExitCode RunWords(Session& session, const std::vector<std::string>& words);

}  // namespace ferrite::cli
