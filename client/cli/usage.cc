#include "client/cli/usage.h"

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/bytes.h"
#include "client/cli/options.h"
#include "client/cli/suggestion.h"

namespace ferrite::cli {
namespace {

constexpr char kWrongUse[] = "ferrite/wrong-use";

std::string PathOf(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  if (parent == nullptr) return app.get_name();
  return app.get_name().empty() ? PathOf(*parent) : PathOf(*parent) + " " + app.get_name();
}

// The names of the options that `app` takes, those of the commands around it included.
std::vector<std::string> OptionNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* part : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!part->get_name().empty()) continue;  // a command; the others are groups of options
    for (std::string& name : OptionNames(*part)) names.push_back(std::move(name));
  }
  for (const CLI::App* around = &app; around != nullptr; around = around->get_parent()) {
    for (const CLI::Option* option : around->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::string DidYouMean(const std::vector<std::string>& nearest) {
  return nearest.empty() ? ""
                         : absl::StrCat("; did you mean ", absl::StrJoin(nearest, " or "), "?");
}

std::string Instead(std::string_view instead) {
  return instead.empty() ? "" : absl::StrCat("; write ", std::string(instead));
}

std::string UnknownOption(const CLI::App& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  const std::string instead = InsteadOfArgument(command.get_name(), word);
  return absl::StrCat(
      PathOf(command), " has no option ", name,
      instead.empty() ? DidYouMean(Nearest(name, OptionNames(command))) : Instead(instead));
}

std::string FurtherArgument(const CLI::App& command, const std::string& word) {
  return absl::StrCat(PathOf(command), " takes no further argument \"", word, "\"",
                      Instead(InsteadOfArgument(command.get_name(), word)));
}

std::string Unexpected(const CLI::App& app) {
  const CLI::App& command = ChosenCommand(app);
  std::vector<std::string> words = app.remaining(/*recurse=*/true);
  if (words.empty()) return "an argument was not expected";
  const std::string word = DisplayText(UnprotectArgument(words.front()));
  if (word.size() > 1 && word.front() == '-') return UnknownOption(command, word);
  return CommandsOf(command).empty() ? FurtherArgument(command, word)
                                     : UnknownCommand(command, word);
}

}  // namespace

std::vector<const CLI::App*> CommandsOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* part) { return !part->get_name().empty(); });
}

std::string UnknownCommand(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* command : CommandsOf(app)) names.push_back(command->get_name());
  const bool top = app.get_parent() == nullptr;
  const std::string text = absl::StrCat(top ? "there is" : PathOf(app) + " has", " no command \"",
                                        DisplayText(word), "\"");
  const std::string_view instead = top ? InsteadOfCommand(word) : std::string_view();
  return text + (instead.empty() ? DidYouMean(Nearest(word, names)) : Instead(instead));
}

std::string UsageOf(const CLI::App& command) {
  std::string usage = absl::StrCat("Usage: ", PathOf(command), " [OPTIONS]");
  if (!CommandsOf(command).empty()) return usage + " COMMAND";
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    std::string name = option->get_name(/*positional=*/true);
    if (option->get_items_expected_max() > 1) name += "...";
    absl::StrAppend(&usage, " ", option->get_required() ? name : "[" + name + "]");
  }
  return usage;
}

absl::Status WrongUse(std::string_view what) {
  absl::Status status = absl::InvalidArgumentError(absl::string_view(what.data(), what.size()));
  status.SetPayload(kWrongUse, absl::Cord());
  return status;
}

bool IsWrongUse(const absl::Status& status) { return status.GetPayload(kWrongUse).has_value(); }

const CLI::App& ChosenCommand(const CLI::App& app) {
  for (const CLI::App* command : app.get_subcommands()) {
    if (!command->get_name().empty()) return ChosenCommand(*command);
  }
  return app;
}

std::string ComplaintOf(const CLI::App& app, const CLI::ParseError& error) {
  const auto is = [&](CLI::ExitCodes kind) {
    return error.get_exit_code() == static_cast<int>(kind);
  };
  if (is(CLI::ExitCodes::ExtrasError)) return Unexpected(app);
  const CLI::App& command = ChosenCommand(app);
  if (is(CLI::ExitCodes::RequiredError) && !CommandsOf(command).empty()) {
    return app.remaining(true).empty() ? PathOf(command) + " needs a command" : Unexpected(app);
  }
  const std::string scope = command.get_parent() == nullptr ? "" : command.get_name() + ": ";
  const std::string text = scope + DisplayText(error.what());
  // It may be there, but look like an option.
  const std::vector<std::string> words = app.remaining(/*recurse=*/true);
  const bool has_option = !words.empty() && words.front().size() > 1 && words.front()[0] == '-';
  return is(CLI::ExitCodes::RequiredError) && has_option
             ? absl::StrCat(text, "; ",
                            UnknownOption(command, DisplayText(UnprotectArgument(words.front()))))
             : text;
}

}  // namespace ferrite::cli
