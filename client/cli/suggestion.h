#pragma once

// What people most likely meant by a word that there is not.

#include <string>
#include <string_view>
#include <vector>

namespace ferrite::cli {

// Those of `known` that `word` may be a slip of, or the beginning of, the nearest only.
std::vector<std::string> Nearest(std::string_view word, const std::vector<std::string>& known);

// What to write instead of a command of another cache's command line, such as "ferrite scan PREFIX"
// for "keys"; empty if nothing is known.
std::string_view InsteadOfCommand(std::string_view word);

// The same for an option, or for an argument after those that `command` takes, as the EX in
// "set k v EX 10"; empty if nothing is known.
std::string InsteadOfArgument(std::string_view command, std::string_view argument);

}  // namespace ferrite::cli
