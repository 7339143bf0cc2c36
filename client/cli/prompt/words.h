#pragma once

// A line of commands as words, much as a shell would have it.

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ferrite::cli {

// Blanks separate words. 'Single quotes' keep everything between them. "Double quotes" do, too, but
// for the escapes \n, \r, \t, \", \\ and \xff. Elsewhere a backslash keeps the character after it.
// A line whose first word begins with # has no words. INVALID_ARGUMENT, with a message for people,
// if a quote is not closed or an escape is none of these.
absl::StatusOr<std::vector<std::string>> SplitWords(std::string_view line);

}  // namespace ferrite::cli
