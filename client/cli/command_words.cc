#include "client/cli/command_words.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "client/cli/options.h"
#include "client/cli/usage.h"

namespace ferrite::cli {
namespace {

const CLI::Option* FirstArgument(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) return option;
  }
  return nullptr;
}

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : CommandsOf(app)) names.push_back(command->get_name());
  return names;
}

// The command of `app` that `word` names; null if there is none.
const CLI::App* CommandNamed(const CLI::App& app, const std::string& word) {
  for (const CLI::App* command : CommandsOf(app)) {
    if (command->get_name() == word) return command;
  }
  return nullptr;
}

}  // namespace

std::vector<Flag> FlagsOf(const CLI::App& app) {
  std::vector<Flag> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (name == "help" && app.get_parent() != nullptr) continue;
      flags.push_back({"--" + name, option->get_description(), option->get_items_expected_max() > 0,
                       ChoicesOf(*option)});
    }
  }
  const auto is_group = [](const CLI::App* part) { return part->get_name().empty(); };
  for (const CLI::App* group : app.get_subcommands(is_group)) {
    for (Flag& flag : FlagsOf(*group)) flags.push_back(std::move(flag));
  }
  return flags;
}

std::vector<std::string> ArgumentChoices(const CLI::App& command) {
  if (!CommandsOf(command).empty()) return CommandNames(command);
  const CLI::Option* argument = FirstArgument(command);
  if (argument == nullptr) return {};
  const CLI::App* parent = command.get_parent();
  if (command.get_name() == "help" && parent != nullptr) return CommandNames(*parent);
  return ChoicesOf(*argument);
}

bool TakesFile(const CLI::App& command) {
  const CLI::Option* argument = FirstArgument(command);
  return argument != nullptr && argument->get_type_name() == "FILE";
}

std::vector<std::string> OffersFor(const CLI::App& app, std::string_view beginning) {
  const absl::string_view line(beginning.data(), beginning.size());
  std::vector<std::string> words = absl::StrSplit(line, absl::ByAnyChar(" \t"));
  const std::string last = words.back();
  words.pop_back();
  const CLI::App* command = &app;
  std::vector<std::string> choices = CommandNames(app);
  std::vector<Flag> flags = FlagsOf(app);
  const Flag* waiting = nullptr;  // for its value
  for (const std::string& word : words) {
    if (word.empty()) continue;
    if (waiting != nullptr) {
      waiting = nullptr;
      continue;
    }
    const auto flag = std::find_if(flags.begin(), flags.end(),
                                   [&](const Flag& known) { return known.name == word; });
    if (flag != flags.end()) {
      if (flag->takes_value) waiting = &*flag;
    } else if (const CLI::App* inner = CommandNamed(*command, word); inner != nullptr) {
      command = inner;
      choices = ArgumentChoices(*command);
      for (Flag& own : FlagsOf(*command)) flags.push_back(std::move(own));
    } else if (word.front() != '-') {
      choices.clear();  // the argument is there
    }
  }
  std::vector<std::string> offers;
  if (waiting != nullptr) {
    choices = waiting->choices;
  } else if (absl::StartsWith(last, "-")) {
    for (const Flag& flag : flags) choices.push_back(flag.name);
  }
  std::copy_if(choices.begin(), choices.end(), std::back_inserter(offers),
               [&](const std::string& choice) { return absl::StartsWith(choice, last); });
  return offers;
}

}  // namespace ferrite::cli
