#include "client/cli/suggestion.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/nearest_name.h"
#include "client/cli/duration.h"

namespace ferrite::cli {
namespace {

struct Habit {
  std::string_view word;
  std::string_view instead;
};

// Commands of Redis, memcached and the like.
constexpr Habit kCommands[] = {
    {"add", "ferrite set KEY VALUE --if-absent"},
    {"benchmark", "ferrite bench"},
    {"clear", "ferrite flush"},
    {"command", "ferrite help"},
    {"commands", "ferrite help"},
    {"cas", "ferrite set KEY VALUE --if-version VERSION"},
    {"count", "ferrite stats"},
    {"dbsize", "ferrite stats"},
    {"decrby", "ferrite decr KEY NUMBER"},
    {"delete", "ferrite del KEY"},
    {"dump", "ferrite scan --json --values > FILE"},
    {"export", "ferrite scan --json --values > FILE"},
    {"expireat", "ferrite expire KEY DURATION"},
    {"flushall", "ferrite flush"},
    {"flushdb", "ferrite flush"},
    {"flush_all", "ferrite flush"},
    {"getdel", "ferrite get KEY, then ferrite del KEY --if-version VERSION"},
    {"getex", "ferrite get KEY, then ferrite expire KEY DURATION"},
    {"getset", "ferrite set KEY VALUE --return-previous"},
    {"import", "ferrite load FILE"},
    {"incrby", "ferrite incr KEY NUMBER"},
    {"keys", "ferrite scan PREFIX"},
    {"latency", "ferrite top"},
    {"list", "ferrite scan PREFIX"},
    {"ls", "ferrite scan PREFIX"},
    {"mdel", "ferrite del KEY KEY"},
    {"memory", "ferrite stats"},
    {"monitor", "ferrite watch \"\""},
    {"pexpire", "ferrite expire KEY DURATION"},
    {"psetex", "ferrite set KEY VALUE --ttl DURATION"},
    {"psubscribe", "ferrite subscribe --glob GLOB"},
    {"pttl", "ferrite ttl KEY --json"},
    {"put", "ferrite set KEY VALUE"},
    {"replace", "ferrite set KEY VALUE --if-present"},
    {"restore", "ferrite load FILE"},
    {"rm", "ferrite del KEY"},
    {"setex", "ferrite set KEY VALUE --ttl DURATION"},
    {"setnx", "ferrite set KEY VALUE --if-absent"},
    {"status", "ferrite stats"},
    {"unlink", "ferrite del KEY"},
    {"version", "ferrite --version"},
};

// Options of other command lines, and the words that Redis has after SET's key and value.
constexpr Habit kOptions[] = {
    {"--ex", "--ttl 10s"},        {"--expire", "--ttl 10s"},    {"--expiry", "--ttl 10s"},
    {"--host", "--server"},       {"--hostname", "--server"},   {"--nx", "--if-absent"},
    {"--px", "--ttl 10ms"},       {"--port", "--server"},       {"--xx", "--if-present"},
    {"--format", "--json"},       {"--output", "--json"},       {"-o", "--json"},
    {"-p", "--server HOST:PORT"}, {"-s", "--server HOST:PORT"}, {"--pattern", "--prefix"},
    {"--match", "--prefix"},
};
constexpr Habit kSetWords[] = {
    {"ex", "--ttl 10s"},      {"px", "--ttl 10ms"},      {"nx", "--if-absent"},
    {"xx", "--if-present"},   {"keepttl", "--keep-ttl"}, {"get", "--return-previous"},
    {"ifeq", "--if-version"},
};

template <size_t n>
std::string_view Look(const Habit (&habits)[n], std::string_view word) {
  const auto* found = std::find_if(std::begin(habits), std::end(habits),
                                   [&](const Habit& habit) { return habit.word == word; });
  return found == std::end(habits) ? "" : found->instead;
}

std::string Lower(std::string_view word) {
  return absl::AsciiStrToLower(absl::string_view(word.data(), word.size()));
}

}  // namespace

std::vector<std::string> Nearest(std::string_view word, const std::vector<std::string>& known) {
  std::vector<std::string> nearest = NearestNames(word, known);
  if (nearest.empty() && word.size() >= 2) {
    const std::string lower = Lower(word);
    for (const std::string& candidate : known) {
      if (absl::StartsWith(Lower(candidate), lower)) nearest.push_back(candidate);
    }
  }
  return nearest;
}

std::string_view InsteadOfCommand(std::string_view word) { return Look(kCommands, Lower(word)); }

std::string InsteadOfArgument(std::string_view command, std::string_view argument) {
  const std::string name = Lower(argument.substr(0, argument.find('=')));
  if (absl::StartsWith(name, "-")) {
    const std::string_view instead = Look(kOptions, name);
    const bool is_short = !absl::StartsWith(name, "--");
    // Most likely it is to be the key or the value.
    return instead.empty() && is_short ? absl::StrCat("-- ", std::string(argument))
                                       : std::string(instead);
  }
  if (command == "get") return "ferrite mget, for many keys";
  if (command != "set" && command != "mset") return "";
  if (ParseDuration(argument).ok()) return absl::StrCat("--ttl ", std::string(argument));
  return std::string(Look(kSetWords, name));
}

}  // namespace ferrite::cli
