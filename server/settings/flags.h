#pragma once

// The table of settings: what each is called, what it is when nobody sets it, and what it means. A
// table of our own, not Abseil's flags: a setting may also come from the environment or, while the
// server runs, from a call, and a complaint names where it came from.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ferrite {

struct Flag {
  std::string_view name;       // "max-memory"
  std::string_view otherwise;  // when nobody sets it
  std::string_view description;
  bool changeable = false;  // while the server runs
  bool repeatable = false;  // on a command line, where commas then join the values
  bool is_switch = false;   // on a command line, where it stands for "yes" by itself
};

// In the order of --help.
std::span<const Flag> AllFlags();
// Null if there is none of that name.
const Flag* FindFlag(std::string_view name);
// The name that was probably meant by one that is none.
std::optional<std::string> NearestFlag(std::string_view name);

// "max-memory" to "--max-memory", and to "FERRITE_MAX_MEMORY".
std::string FlagName(std::string_view name);
std::string EnvironmentName(std::string_view name);

// A table of all flags, for --help.
std::string FlagHelp();

enum class FlagSource { kDefault, kCommandLine, kEnvironment, kCall };

// What a setting is, as text, and where that came from.
struct FlagValue {
  std::string text;
  FlagSource source = FlagSource::kDefault;
};

// Every flag by its name.
using FlagValues = std::map<std::string, FlagValue, std::less<>>;

}  // namespace ferrite
