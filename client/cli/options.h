#pragma once

// Kinds of options that CLI11 lacks, or does not check strictly enough.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"

namespace ferrite::cli {

// An option that takes a duration, such as 30s.
CLI::Option* AddDuration(CLI::App* command, const std::string& name,
                         std::optional<absl::Duration>* duration, const std::string& description);

// An option that takes an integer. CLI11's own reads 99999999999999999999 as the greatest int64.
CLI::Option* AddInteger(CLI::App* command, const std::string& name, std::optional<int64_t>* number,
                        const std::string& description);
// An option that takes 0 to the greatest uint64.
CLI::Option* AddUnsigned(CLI::App* command, const std::string& name,
                         std::optional<uint64_t>* number, const std::string& description);

// CLI11 takes an argument such as "[1,2]" for a list of arguments. The first function marks such
// arguments so that it does not; the second removes the mark. The mark is a NUL at the end, which
// no process argument can contain.
std::string ProtectBrackets(std::string argument);
std::string UnprotectBrackets(std::string argument);

// The values that `option` is restricted to by CLI::IsMember, in order; empty when it is not.
std::vector<std::string> ChoicesOf(const CLI::Option& option);

}  // namespace ferrite::cli
