#include "client/cli/command_line.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"
#include "client/cli/help_formatter.h"
#include "client/cli/options.h"
#include "client/cli/prompt/prompt.h"
#include "client/cli/server_address.h"
#include "client/cli/terminal.h"
#include "client/cli/tls_choice.h"
#include "client/cli/token_choice.h"
#include "client/cli/usage.h"

namespace ferrite::cli {
namespace {

struct Commands {
  void (*add)(CLI::App& app, Session& session);
  std::vector<std::string_view> names;
};

struct Group {
  const char* title;
  std::vector<Commands> commands;
};

const std::vector<Group>& Groups() {
  static const auto& groups = *new std::vector<Group>{
      {"Entries",
       {{AddGet, {"get"}},
        {AddSet, {"set"}},
        {AddDelete, {"del"}},
        {AddIncr, {"incr", "decr"}},
        {AddExists, {"exists"}},
        {AddExpiry, {"expire", "persist", "ttl", "touch"}}}},
      {"Many entries",
       {{AddManyEntries, {"mget", "mset"}}, {AddScan, {"scan"}}, {AddLoad, {"load"}}}},
      {"Messages and events",
       {{AddPublish, {"publish"}}, {AddSubscribe, {"subscribe"}}, {AddWatch, {"watch"}}}},
      {"The server",
       {{AddNode, {"info", "ping"}},
        {AddStats, {"stats"}},
        {AddTop, {"top"}},
        {AddConfig, {"config"}},
        {AddAuth, {"auth"}},
        {AddPolicy, {"policy"}},
        {AddCluster, {"cluster"}},
        {AddSlowLog, {"slowlog"}},
        {AddFlush, {"flush"}},
        {AddBench, {"bench"}}}},
      // These look at all commands, and are never described by themselves.
      {"This command", {{AddRun, {}}, {AddCompletion, {}}, {AddHelp, {}}}},
  };
  return groups;
}

void AddGlobalOptions(CLI::App& app, Session& session) {
  app.set_version_flag("-V,--version", "ferrite " FERRITE_VERSION);
  app.add_option(
         "--server", session.servers,
         "Address of the server, or unix:PATH of its Unix domain socket; of a cluster, one or "
         "more nodes with commas, the first of which that is reached is asked; the "
         "environment variable FERRITE_SERVER sets another one")
      ->type_name("HOST:PORT")
      ->transform(CallableAddresses)
      ->capture_default_str();
  AddTlsOptions(&app, &session.tls);
  AddTokenOptions(&app, &session.token);
  app.add_option("--namespace", session.name_space,
                 "The namespace of the cache to use, if not that of your binding "
                 "(FERRITE_NAMESPACE)")
      ->type_name("NAME");
  app.add_flag("--json", session.json,
               R"(Print JSON: integers as strings, bytes that are no UTF-8 as {"base64": "..."})");
  CLI::Option* base64 =
      app.add_flag("--base64", session.base64, "Keys and values on the command line are base64");
  app.add_flag(
         "--escapes", session.escapes,
         R"(Keys and values that are given have the escapes \n, \r, \t, \\ and \xff, as scan )"
         "prints them")
      ->excludes(base64);
  AddDuration(&app, "--timeout", &session.timeout, "How long a call may take; 5s if not given",
              absl::Milliseconds(1), absl::Hours(24));
}

void PrintUsage(const CLI::App& app, const Session& session) {
  if (session.json) return;
  const CLI::App& command = ChosenCommand(app);
  PrintNote(UsageOf(command));
  PrintNote(command.get_parent() == nullptr ? "ferrite help lists the commands."
                                            : "ferrite help " + command.get_name() + " says more.");
}

bool Contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// `ferrite -` is `ferrite run -`.
std::vector<std::string> WithoutDash(std::vector<std::string> words, const CLI::App& app) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "-") {
      words.insert(words.begin() + static_cast<std::ptrdiff_t>(i), "run");
      return words;
    }
    if (words[i].empty() || words[i].front() != '-') return words;
    const CLI::Option* option = app.get_option_no_throw(words[i]);
    if (option != nullptr && option->get_items_expected_max() > 0) ++i;  // skip its value
  }
  return words;
}

// Describes `only` these commands, or all if it is null.
std::unique_ptr<CLI::App> Describe(Session& session, const Commands* only) {
  auto app = std::make_unique<CLI::App>(
      "The command line of the Ferrite cache. Alone on a terminal it opens a prompt;\n"
      "`ferrite -` reads commands, one a line.\n"
      "Exit codes: 0 a hit, or done; 1 a miss, or a condition that did not hold;\n"
      "2 an error; 130 Ctrl-C.",
      "ferrite");
  app->formatter(std::make_shared<HelpFormatter>());  // before the commands, which take it over
  app->require_subcommand(0, 1);
  AddGlobalOptions(*app, session);
  for (const Group& group : Groups()) {
    const size_t before = CommandsOf(*app).size();
    for (const Commands& commands : group.commands) {
      if (only == nullptr || only == &commands) commands.add(*app, session);
    }
    const std::vector<CLI::App*> all =
        app->get_subcommands([](const CLI::App* part) { return !part->get_name().empty(); });
    for (size_t i = before; i < all.size(); ++i) all[i]->group(group.title);
  }
  return app;
}

// The commands that the first word names; null if it does not tell by itself.
const Commands* NamedBy(const std::vector<std::string>& words) {
  for (const Group& group : Groups()) {
    for (const Commands& commands : group.commands) {
      for (const std::string_view name : commands.names) {
        // Other command lines do not mind upper case.
        if (absl::EqualsIgnoreCase({name.data(), name.size()}, words.front())) return &commands;
      }
    }
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<CLI::App> DescribeCommands(Session& session) { return Describe(session, nullptr); }

ExitCode RunWords(Session& session, const std::vector<std::string>& words) {
  // To describe all of them takes longer than most commands, which would hold up a file of
  // commands.
  const std::unique_ptr<CLI::App> app = Describe(session, words.empty() ? nullptr : NamedBy(words));
  std::vector<std::string> backwards;  // as CLI11 wants them
  for (const std::string& word : WithoutDash(words, *app))
    backwards.push_back(ProtectArgument(word));
  std::reverse(backwards.begin(), backwards.end());
  try {
    app->parse(std::move(backwards));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      app->exit(error);  // --help and --version
      return ExitCode::kOk;
    }
    session.json = session.json || Contains(words, "--json");
    PrintError(session, absl::InvalidArgumentError(ComplaintOf(*app, error)));
    PrintUsage(*app, session);
    return ExitCode::kError;
  }
  if (session.run == nullptr) {
    if (InputIsTerminal() && OutputIsTerminal() && !session.line.has_value()) {
      return RunPrompt(session);
    }
    PrintNote(app->help());
    return ExitCode::kError;
  }
  if (const absl::Status status = session.Prepare(); !status.ok()) {
    PrintError(session, status);
    return ExitCode::kError;
  }
  const absl::StatusOr<ExitCode> exit_code = session.run(session);
  if (!exit_code.ok()) PrintError(session, exit_code.status());
  if (absl::IsUnavailable(exit_code.status())) session.ForgetServer();
  if (IsWrongUse(exit_code.status())) PrintUsage(*app, session);
  return exit_code.value_or(ExitCode::kError);
}

}  // namespace ferrite::cli
