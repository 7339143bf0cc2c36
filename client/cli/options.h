#pragma once

// Kinds of options that CLI11 lacks, or does not check strictly enough. A value that is refused is
// quoted in the message, with the range that is allowed.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace ferrite::cli {

// The longest time to live that a server accepts.
inline constexpr absl::Duration kLongestTtl = absl::Hours(24 * 36'500);

// An option that takes a duration from `least` to `most`, such as 30s.
CLI::Option* AddDuration(CLI::App* command, const std::string& name,
                         std::optional<absl::Duration>* duration, const std::string& description,
                         absl::Duration least = -absl::InfiniteDuration(),
                         absl::Duration most = absl::InfiniteDuration());
// An option, or an argument, that takes a time to live.
CLI::Option* AddTtl(CLI::App* command, const std::string& name, std::optional<absl::Duration>* ttl,
                    const std::string& description);

// The number that `text` stands for; for int, int64_t, uint32_t, uint64_t and double.
// INVALID_ARGUMENT, with a message for people, if it is none or not from `least` to `most`.
template <class Number>
absl::StatusOr<Number> ParseNumber(std::string_view text, Number least, Number most);

// An option, or an argument, that takes a number from `least` to `most` for `target`, which is a
// Number or an optional one.
template <class Number, class Target>
CLI::Option* AddNumber(CLI::App* command, const std::string& name, Target* target,
                       const std::string& description, Number least, Number most);

// An option that takes an amount of bytes up to `most`, as base/byte_amount.h reads it: 1KiB, 64.
CLI::Option* AddBytes(CLI::App* command, const std::string& name, int* bytes,
                      const std::string& description, int least, int most);

// An option that takes an integer.
CLI::Option* AddInteger(CLI::App* command, const std::string& name, std::optional<int64_t>* number,
                        const std::string& description);
// An option that takes 0 to the greatest uint64.
CLI::Option* AddUnsigned(CLI::App* command, const std::string& name,
                         std::optional<uint64_t>* number, const std::string& description);

// CLI11 takes "[1,2]" for a list of arguments and, where there is an option -0, "-0.5" for that
// option. ProtectArgument() puts such arguments between two NULs, which keeps them whole;
// UnprotectArgument() takes the NULs away.
std::string ProtectArgument(std::string argument);
std::string UnprotectArgument(std::string argument);

// The values that `option` is restricted to by CLI::IsMember, in order; empty when it is not.
std::vector<std::string> ChoicesOf(const CLI::Option& option);

template <class Number, class Target>
CLI::Option* AddNumber(CLI::App* command, const std::string& name, Target* target,
                       const std::string& description, Number least, Number most) {
  const auto parse = [=](const std::string& text) {
    const absl::StatusOr<Number> number = ParseNumber<Number>(UnprotectArgument(text), least, most);
    if (!number.ok()) throw CLI::ValidationError(name, std::string(number.status().message()));
    *target = *number;
  };
  CLI::Option* option = command->add_option_function<std::string>(name, parse, description);
  if constexpr (std::is_arithmetic_v<Target>) option->default_str(absl::StrCat(*target));
  return option->type_name("NUMBER");
}

}  // namespace ferrite::cli
