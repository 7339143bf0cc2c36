#pragma once

// Scripts that teach a shell to complete `ferrite`. They are made from the command line that CLI11
// holds, so that they know whatever it knows.

#include <string>

#include "CLI/CLI.hpp"

namespace ferrite::cli {

std::string BashCompletion(const CLI::App& app);
std::string ZshCompletion(const CLI::App& app);
std::string FishCompletion(const CLI::App& app);

}  // namespace ferrite::cli
