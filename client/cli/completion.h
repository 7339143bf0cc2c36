#pragma once

// Scripts with which a shell completes `ferrite`. They are generated from CLI11's description of
// the command line, so they are always complete.

#include <string>

#include "CLI/CLI.hpp"

namespace ferrite::cli {

std::string BashCompletion(const CLI::App& app);
std::string ZshCompletion(const CLI::App& app);
std::string FishCompletion(const CLI::App& app);

}  // namespace ferrite::cli
