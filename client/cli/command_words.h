#pragma once

// The words of the command line as shells and the prompt complete them.

#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"

namespace ferrite::cli {

// An option that starts with --.
struct Flag {
  std::string name;  // with the dashes
  std::string description;
  bool takes_value;
  std::vector<std::string> choices;  // empty: anything
};

// The flags that `app` itself takes. Every command has --help, which is only listed for the
// program.
std::vector<Flag> FlagsOf(const CLI::App& app);

// The choices for the first argument of a command; empty: anything.
std::vector<std::string> ArgumentChoices(const CLI::App& command);

// Whether the first argument of a command is the name of a file.
bool TakesFile(const CLI::App& command);

// The words that may take the place of the last word of `beginning`, which is empty after a blank.
std::vector<std::string> OffersFor(const CLI::App& app, std::string_view beginning);

}  // namespace ferrite::cli
