#include "client/cli/session.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/check_options.h"
#include "client/cli/bytes.h"
#include "client/cli/options.h"
#include "client/cli/server_address.h"
#include "client/cli/suggestion.h"
#include "client/cli/terminal.h"
#include "client/cli/tls_advice.h"
#include "client/cli/tls_choice.h"

namespace ferrite::cli {
namespace {

constexpr char kServerVariable[] = "FERRITE_SERVER";
// What a server can be told to take at most.
constexpr size_t kLargestValue = 64 << 20;

absl::StatusOr<std::string> ReadStandardInput() {
  std::string input;
  char buffer[1 << 16];
  while (const size_t size = std::fread(buffer, 1, sizeof(buffer), stdin)) {
    if (input.size() + size > kLargestValue) {
      return absl::OutOfRangeError(absl::StrCat("the standard input has more than ", kLargestValue,
                                                " bytes, the most that a value can have"));
    }
    input.append(buffer, size);
  }
  if (std::ferror(stdin)) return absl::UnknownError("cannot read the standard input");
  return input;
}

// A variable of the environment that looks like FERRITE_SERVER misspelt; empty if there is none.
std::string MisspeltServerVariable() {
  if (std::getenv(kServerVariable) != nullptr) return "";
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string name = std::string(*entry).substr(0, std::string_view(*entry).find('='));
    if (name != kServerVariable && !Nearest(name, {kServerVariable}).empty()) return name;
  }
  return "";
}

std::string AdviceFor(const Session& session, absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable: {
      if (std::string advice = TlsAdvice(session.Server(), session.tls); !advice.empty())
        return advice;
      const std::string misspelt = MisspeltServerVariable();
      if (!misspelt.empty()) {
        return absl::StrCat("The environment has ", misspelt, "; is that to be ", kServerVariable,
                            "?");
      }
      return "Is the server running? Start one with ./dev run, or name another with --server "
             "HOST:PORT.";
    }
    case absl::StatusCode::kUnauthenticated:
      return "--token-file FILE or --cert and --key say who you are; ferrite auth whoami tells "
             "what "
             "the server makes of it.";
    case absl::StatusCode::kPermissionDenied:
      return "ferrite auth explain VERB NAME tells what the policy of the server allows.";
    case absl::StatusCode::kDeadlineExceeded:
      return "Is it a Ferrite server, and not overloaded? --timeout gives it longer.";
    default:
      return "";
  }
}

}  // namespace

Session Session::Fork() const {
  Session fork = *this;
  fork.run = nullptr;
  return fork;
}

absl::Status Session::Prepare() {
  if (prepared_ != nullptr && prepared_->tls == tls && prepared_->token == token &&
      prepared_->name_space == name_space) {
    return absl::OkStatus();
  }
  if (absl::Status status = CheckNamespace(name_space); !status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrReplaceAll(status.message(), {{"name_space", "--namespace"}}));
  }
  absl::StatusOr<Credentials> made = CredentialsFor(tls, token);
  if (!made.ok()) return made.status();
  made->name_space = name_space;
  prepared_ = std::make_shared<const Prepared>(Prepared{tls, token, name_space, *std::move(made)});
  return absl::OkStatus();
}

std::string Session::Server() const {
  std::string& choice = (*choices_)[servers];
  if (choice.empty())
    choice = FirstReachable(SplitAddresses(servers), credentials(), timeout_or_default());
  return choice;
}

absl::StatusOr<Client*> Session::ConnectToServer() {
  // An address that is none is wrong use, whether or not it would be asked.
  if (const absl::StatusOr<Client*> all = Connect(); !all.ok()) return all;
  return ClientOf(Server());
}

std::string Session::AtServer() const {
  return servers == Server() ? "" : absl::StrCat(" at ", Server());
}

absl::StatusOr<Client*> Session::ClientOf(const std::string& addresses) {
  std::unique_ptr<Client>& client =
      (*clients_)[{addresses, timeout_or_default(), tls, token, name_space}];
  if (client == nullptr) {
    // Nodes forward to each other, so that a command needs no other than the one that it asks.
    absl::StatusOr<std::unique_ptr<Client>> created =
        Client::Create({.seeds = SplitAddresses(addresses),
                        .tls = tls,
                        .token = token,
                        .name_space = name_space,
                        .routing = RoutingMode::kAnyNode,
                        .default_timeout = timeout_or_default(),
                        // A command makes one call at a time, and should appear as that call in the
                        // server's metrics.
                        .batching = {.enabled = false}});
    if (!created.ok()) {
      const char* variable = std::getenv(kServerVariable);
      const bool from_variable = variable != nullptr && servers == CallableAddresses(variable);
      return absl::Status(created.status().code(),
                          absl::StrCat(from_variable ? kServerVariable : "--server", ": ",
                                       created.status().message()));
    }
    client = *std::move(created);
  }
  return client.get();
}

absl::StatusOr<std::string> Session::Bytes(const std::string& argument) const {
  const std::string text = UnprotectArgument(argument);
  return escapes ? FromDisplayText(text) : DecodeArgument(text, base64);
}

absl::StatusOr<std::vector<std::string>> Session::Bytes(
    const std::vector<std::string>& arguments) const {
  std::vector<std::string> all;
  for (const std::string& argument : arguments) {
    absl::StatusOr<std::string> bytes = Bytes(argument);
    if (!bytes.ok()) return bytes.status();
    all.push_back(*std::move(bytes));
  }
  return all;
}

absl::StatusOr<std::string> Session::ValueBytes(const std::string& argument) const {
  if (argument != "-") return Bytes(argument);
  if (absl::Status status = CheckInputIsFree(); !status.ok()) return status;
  return ReadStandardInput();
}

absl::Status Session::CheckInputIsFree() const {
  if (!input_is_taken) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the standard input holds the commands; put them into a file and use ferrite run FILE");
}

void Session::PrintValue(std::string_view value) const {
  PrintBytes(value);
  if (line.has_value() || OutputIsTerminal()) PrintBytes("\n");
}

nlohmann::ordered_json ErrorJson(const absl::Status& status) {
  return {{"code", absl::StatusCodeToString(status.code())},
          {"reason", ReasonOf(status)},
          {"message", std::string(status.message())}};
}

void PrintError(const Session& session, const absl::Status& status) {
  FlushOutput();  // what was printed before comes before
  const std::string message(status.message());
  if (session.json) {
    nlohmann::ordered_json error = ErrorJson(status);
    if (session.line.value_or(0) > 0) error["line"] = *session.line;
    return PrintNote(JsonText({{"error", error}}));
  }
  const std::string place =
      session.line.value_or(0) > 0 ? absl::StrCat("line ", *session.line, ": ") : "";
  PrintNote(absl::StrCat("ferrite: ", place, DisplayText(message)));
  if (const std::string advice = AdviceFor(session, status.code()); !advice.empty())
    PrintNote(advice);
}

ExitCode Worse(ExitCode one, ExitCode other) { return std::max(one, other); }

}  // namespace ferrite::cli
