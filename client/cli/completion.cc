#include "client/cli/completion.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/cli/command_words.h"
#include "client/cli/usage.h"

namespace ferrite::cli {
namespace {

std::string Names(const std::vector<Flag>& flags) {
  return absl::StrJoin(flags, " ",
                       [](std::string* out, const Flag& flag) { out->append(flag.name); });
}

// In single quotes, which every shell understands.
std::string Quoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

constexpr char kBash[] =
    R"(# bash completion for ferrite. Load it with: source <(ferrite completion bash)
_ferrite() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command= choices= files= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
    @WITH_VALUE@) i=$((i + 1)) ;;
    -*) ;;
    *) command=${COMP_WORDS[i]} && break ;;
    esac
  done
  case $before in
@VALUES@  @WITH_VALUE@) ;;
  *)
    case $command in
    '') choices=@COMMANDS@ ;;
@ARGUMENTS@    esac
    choices+=@GLOBAL@
    ;;
  esac
  COMPREPLY=($(compgen -W "$choices" -- "$word"))
  if [[ $files ]]; then compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- "$word")); fi
}
complete -F _ferrite ferrite
)";

constexpr char kZsh[] = R"(#compdef ferrite
# zsh completion for ferrite. Load it with: source <(ferrite completion zsh)
_ferrite() {
  local state
  local -a names global
  names=(
@COMMANDS@  )
  global=(
@GLOBAL@  )
  _arguments -C $global '1:command:->command' '*::argument:->argument'
  case $state in
  command) _describe command names ;;
  argument)
    case $words[1] in
@ARGUMENTS@    esac
    ;;
  esac
}
compdef _ferrite ferrite
)";

std::string ZshArgument(const Flag& flag) {
  std::string argument = absl::StrCat(
      flag.name, "[",
      absl::StrReplaceAll(flag.description, {{"[", "\\["}, {"]", "\\]"}, {":", "\\:"}}), "]");
  if (flag.takes_value) absl::StrAppend(&argument, ":value:");
  if (!flag.choices.empty()) absl::StrAppend(&argument, "(", absl::StrJoin(flag.choices, " "), ")");
  return Quoted(argument);
}

std::string FishFlag(const Flag& flag, const std::string& condition) {
  std::string line = absl::StrCat("complete -c ferrite", condition, " -l ", flag.name.substr(2),
                                  " -d ", Quoted(flag.description));
  if (flag.takes_value) absl::StrAppend(&line, " -x");
  if (!flag.choices.empty()) {
    absl::StrAppend(&line, " -a ", Quoted(absl::StrJoin(flag.choices, " ")));
  }
  return line + "\n";
}

}  // namespace

std::string BashCompletion(const CLI::App& app) {
  std::vector<Flag> flags = FlagsOf(app);
  std::vector<std::string> names;
  std::string arguments;
  for (const CLI::App* command : CommandsOf(app)) {
    names.push_back(command->get_name());
    std::vector<std::string> choices = ArgumentChoices(*command);
    const std::vector<Flag> own = FlagsOf(*command);
    for (const Flag& flag : own) choices.push_back(flag.name);
    absl::StrAppend(&arguments, "    ", command->get_name(),
                    ") choices=", Quoted(absl::StrJoin(choices, " ")),
                    TakesFile(*command) ? " files=1" : "", " ;;\n");
    flags.insert(flags.end(), own.begin(), own.end());
  }
  std::set<std::string> with_value;
  std::string values;
  for (const Flag& flag : flags) {
    if (!flag.takes_value) continue;
    with_value.insert(flag.name);
    if (flag.choices.empty()) continue;
    absl::StrAppend(&values, "  ", flag.name,
                    ") choices=", Quoted(absl::StrJoin(flag.choices, " ")), " ;;\n");
  }
  return absl::StrReplaceAll(kBash, {{"@WITH_VALUE@", absl::StrJoin(with_value, "|")},
                                     {"@VALUES@", values},
                                     {"@COMMANDS@", Quoted(absl::StrJoin(names, " "))},
                                     {"@ARGUMENTS@", arguments},
                                     {"@GLOBAL@", Quoted(" " + Names(FlagsOf(app)))}});
}

std::string ZshCompletion(const CLI::App& app) {
  std::string names;
  std::string arguments;
  for (const CLI::App* command : CommandsOf(app)) {
    absl::StrAppend(&names, "    ",
                    Quoted(absl::StrCat(command->get_name(), ":", command->get_description())),
                    "\n");
    absl::StrAppend(&arguments, "    ", command->get_name(), ") _arguments $global");
    for (const Flag& flag : FlagsOf(*command)) absl::StrAppend(&arguments, " ", ZshArgument(flag));
    const std::vector<std::string> choices = ArgumentChoices(*command);
    if (!choices.empty()) {
      absl::StrAppend(&arguments, " '1:value:(", absl::StrJoin(choices, " "), ")'");
    }
    if (TakesFile(*command)) absl::StrAppend(&arguments, " '1:file:_files'");
    absl::StrAppend(&arguments, " ;;\n");
  }
  std::string global;
  for (const Flag& flag : FlagsOf(app)) absl::StrAppend(&global, "    ", ZshArgument(flag), "\n");
  return absl::StrReplaceAll(
      kZsh, {{"@COMMANDS@", names}, {"@GLOBAL@", global}, {"@ARGUMENTS@", arguments}});
}

std::string FishCompletion(const CLI::App& app) {
  std::string script =
      "# fish completion for ferrite. Load it with: ferrite completion fish | source\n"
      "complete -c ferrite -f\n";
  for (const Flag& flag : FlagsOf(app)) absl::StrAppend(&script, FishFlag(flag, ""));
  for (const CLI::App* command : CommandsOf(app)) {
    absl::StrAppend(&script, "complete -c ferrite -n __fish_use_subcommand -a ",
                    command->get_name(), " -d ", Quoted(command->get_description()), "\n");
    const std::string condition =
        absl::StrCat(" -n '__fish_seen_subcommand_from ", command->get_name(), "'");
    for (const Flag& flag : FlagsOf(*command)) absl::StrAppend(&script, FishFlag(flag, condition));
    if (TakesFile(*command)) absl::StrAppend(&script, "complete -c ferrite", condition, " -F\n");
    const std::vector<std::string> choices = ArgumentChoices(*command);
    if (choices.empty()) continue;
    absl::StrAppend(&script, "complete -c ferrite", condition, " -a ",
                    Quoted(absl::StrJoin(choices, " ")), "\n");
  }
  return script;
}

}  // namespace ferrite::cli
