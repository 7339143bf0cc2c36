#include "client/cli/completion.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/cli/options.h"

namespace ferrite::cli {
namespace {

// An option that starts with --.
struct Flag {
  std::string name;  // without the dashes
  std::string description;
  bool takes_value;
  std::vector<std::string> choices;
};

std::vector<Flag> FlagsOf(const CLI::App& app) {
  std::vector<Flag> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      flags.push_back({name, option->get_description(), option->get_items_expected_max() > 0,
                       ChoicesOf(*option)});
    }
  }
  for (const CLI::App* group :
       app.get_subcommands([](const CLI::App* a) { return a->get_name().empty(); })) {
    for (Flag& flag : FlagsOf(*group)) flags.push_back(std::move(flag));
  }
  return flags;
}

std::vector<const CLI::App*> CommandsOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* a) { return !a->get_name().empty(); });
}

// What may stand for the first positional of a command; empty: anything.
std::vector<std::string> PositionalChoices(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) return ChoicesOf(*option);
  }
  return {};
}

std::string DashedNames(const std::vector<Flag>& flags) {
  return absl::StrJoin(flags, " ", [](std::string* out, const Flag& flag) {
    absl::StrAppend(out, "--", flag.name);
  });
}

// Within single quotes.
std::string Quoted(const std::string& text) { return absl::StrReplaceAll(text, {{"'", "'\\''"}}); }

}  // namespace

std::string BashCompletion(const CLI::App& app) {
  std::vector<Flag> all = FlagsOf(app);
  std::vector<std::string> names;
  std::string words;
  for (const CLI::App* command : CommandsOf(app)) {
    names.push_back(command->get_name());
    const std::vector<Flag> flags = FlagsOf(*command);
    absl::StrAppend(&words, "    ", command->get_name(), ") words='", DashedNames(flags), " ",
                    absl::StrJoin(PositionalChoices(*command), " "), "' ;;\n");
    all.insert(all.end(), flags.begin(), flags.end());
  }
  std::string with_value;
  std::string values;
  for (const Flag& flag : all) {
    if (!flag.takes_value) continue;
    absl::StrAppend(&with_value, with_value.empty() ? "" : "|", "--", flag.name);
    if (flag.choices.empty()) continue;
    absl::StrAppend(&values, "    --", flag.name, ") choices='", absl::StrJoin(flag.choices, " "),
                    "' ;;\n");
  }
  return absl::StrCat(
      R"(# bash completion for ferrite. Load it with: source <(ferrite completion bash)
_ferrite() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command= choices= words= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
    )",
      with_value, R"() i=$((i + 1)) ;;
    -*) ;;
    *) command=${COMP_WORDS[i]}; break ;;
    esac
  done
  case $before in
)",
      values, "    ", with_value, R"() COMPREPLY=($(compgen -W "$choices" -- "$word")); return ;;
  esac
  if [[ -n $choices ]]; then
    COMPREPLY=($(compgen -W "$choices" -- "$word"))
    return
  fi
  case $command in
    '') words=')",
      absl::StrJoin(names, " "), R"(' ;;
)",
      words, R"(  esac
  COMPREPLY=($(compgen -W "$words )",
      DashedNames(FlagsOf(app)), R"(" -- "$word"))
}
complete -F _ferrite ferrite
)");
}

namespace {

std::string ZshArgument(const Flag& flag) {
  const std::string description =
      absl::StrReplaceAll(Quoted(flag.description), {{"[", "\\["}, {"]", "\\]"}, {":", "\\:"}});
  std::string argument = absl::StrCat("'--", flag.name, "[", description, "]");
  if (flag.takes_value) {
    absl::StrAppend(&argument, ":", flag.name, ":");
    if (!flag.choices.empty())
      absl::StrAppend(&argument, "(", absl::StrJoin(flag.choices, " "), ")");
  }
  return absl::StrCat(argument, "'");
}

std::string ZshArguments(const std::vector<Flag>& flags) {
  return absl::StrJoin(flags, " ",
                       [](std::string* out, const Flag& flag) { out->append(ZshArgument(flag)); });
}

}  // namespace

std::string ZshCompletion(const CLI::App& app) {
  const std::vector<Flag> global = FlagsOf(app);
  std::string descriptions;
  std::string cases;
  for (const CLI::App* command : CommandsOf(app)) {
    absl::StrAppend(&descriptions, "    '", command->get_name(), ":",
                    Quoted(command->get_description()), "'\n");
    const std::vector<std::string> choices = PositionalChoices(*command);
    absl::StrAppend(
        &cases, "    ", command->get_name(), ") _arguments ", ZshArguments(FlagsOf(*command)), " ",
        ZshArguments(global),
        choices.empty() ? "" : absl::StrCat(" '1:what:(", absl::StrJoin(choices, " "), ")'"),
        " ;;\n");
  }
  return absl::StrCat(R"(#compdef ferrite
# zsh completion for ferrite. Load it with: source <(ferrite completion zsh)
_ferrite() {
  local state
  local -a commands words_of_command
  commands=(
)",
                      descriptions, R"(  )
  _arguments -C )",
                      ZshArguments(global), R"( '1:command:->command' '*::argument:->argument'
  case $state in
  command) _describe command commands ;;
  argument)
    case $words[1] in
)",
                      cases, R"(    esac
    ;;
  esac
}
compdef _ferrite ferrite
)");
}

std::string FishCompletion(const CLI::App& app) {
  std::string script =
      "# fish completion for ferrite. Load it with: ferrite completion fish | source\ncomplete -c "
      "ferrite -f\n";
  const auto add_flags = [&](const std::vector<Flag>& flags, const std::string& condition) {
    for (const Flag& flag : flags) {
      absl::StrAppend(&script, "complete -c ferrite", condition, " -l ", flag.name, " -d '",
                      Quoted(flag.description), "'");
      if (flag.takes_value) absl::StrAppend(&script, " -x");
      if (!flag.choices.empty())
        absl::StrAppend(&script, " -a '", absl::StrJoin(flag.choices, " "), "'");
      absl::StrAppend(&script, "\n");
    }
  };
  add_flags(FlagsOf(app), "");
  for (const CLI::App* command : CommandsOf(app)) {
    absl::StrAppend(&script, "complete -c ferrite -n __fish_use_subcommand -a ",
                    command->get_name(), " -d '", Quoted(command->get_description()), "'\n");
    const std::string condition =
        absl::StrCat(" -n '__fish_seen_subcommand_from ", command->get_name(), "'");
    add_flags(FlagsOf(*command), condition);
    const std::vector<std::string> choices = PositionalChoices(*command);
    if (choices.empty()) continue;
    absl::StrAppend(&script, "complete -c ferrite", condition, " -a '", absl::StrJoin(choices, " "),
                    "'\n");
  }
  return script;
}

}  // namespace ferrite::cli
