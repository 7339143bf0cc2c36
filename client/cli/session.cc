#include "client/cli/session.h"

#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "client/cli/bytes.h"
#include "client/cli/options.h"

namespace ferrite::cli {
namespace {

void Write(std::FILE* file, std::string_view bytes) {
  std::fwrite(bytes.data(), 1, bytes.size(), file);
}

absl::StatusOr<std::string> ReadStandardInput() {
  std::string input;
  char buffer[1 << 16];
  while (const size_t size = std::fread(buffer, 1, sizeof(buffer), stdin)) {
    input.append(buffer, size);
  }
  if (std::ferror(stdin)) return absl::UnknownError("cannot read the standard input");
  return input;
}

std::string_view AdviceFor(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
      return "Is the server running? Start one with ./dev run, or name another with --server "
             "HOST:PORT.";
    case absl::StatusCode::kDeadlineExceeded:
      return "Is it a Ferrite server, and not overloaded? --timeout gives it longer.";
    default:
      return "";
  }
}

}  // namespace

absl::StatusOr<Client*> Session::Connect() {
  if (timeout_or_default() <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("--timeout must be above 0");
  }
  if (client_ == nullptr) {
    absl::StatusOr<std::unique_ptr<Client>> client =
        Client::Create({.seeds = {server},
                        .default_timeout = timeout_or_default(),
                        // A command makes one call at a time, and should appear as that call in the
                        // server's metrics.
                        .batching = {.enabled = false}});
    if (!client.ok()) return client.status();
    client_ = *std::move(client);
  }
  return client_.get();
}

absl::StatusOr<std::string> Session::Bytes(const std::string& argument) const {
  return DecodeArgument(UnprotectBrackets(argument), base64);
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
  return argument == "-" ? ReadStandardInput() : Bytes(argument);
}

void PrintJson(const nlohmann::ordered_json& value) {
  PrintLine(value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void PrintRaw(std::string_view bytes) {
  Write(stdout, bytes);
  if (isatty(STDOUT_FILENO)) Write(stdout, "\n");
}

void PrintLine(std::string_view line) {
  Write(stdout, line);
  Write(stdout, "\n");
}

void PrintNote(std::string_view line) {
  Write(stderr, line);
  Write(stderr, "\n");
}

void PrintError(const Session& session, const absl::Status& status) {
  const std::string message(status.message());
  if (session.json) {
    const nlohmann::ordered_json error = {{"code", absl::StatusCodeToString(status.code())},
                                          {"reason", ReasonOf(status)},
                                          {"message", message}};
    return PrintNote(nlohmann::ordered_json{{"error", error}}.dump(
        -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  }
  PrintNote("ferrite: " + DisplayText(message));
  if (const std::string_view advice = AdviceFor(status.code()); !advice.empty()) PrintNote(advice);
}

}  // namespace ferrite::cli
