#pragma once

// What all commands share: the server's address, how to read and print, and the client.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cli/output.h"
#include "client/client.h"
#include "client/credentials.h"
#include "nlohmann/json.hpp"

namespace ferrite::cli {

// What the process returns. A process that was interrupted ends by its signal instead, which shells
// report as 130.
enum class ExitCode : int {
  kOk = 0,     // a hit; done
  kMiss = 1,   // a miss; a condition that did not hold
  kError = 2,  // anything else
};

struct Session {
  // With commas.
  std::string servers = "127.0.0.1:6380";
  TlsOptions tls;
  TokenOptions token;
  std::string name_space;  // empty: none is named
  std::optional<absl::Duration> timeout;
  bool json = false;
  bool base64 = false;
  bool escapes = false;
  // What the chosen command does. Set while the command line is parsed, run afterwards.
  std::function<absl::StatusOr<ExitCode>(Session& session)> run;

  // Where commands come one after the other: the number of the line, which errors name; 0 at the
  // prompt, absent on the command line.
  std::optional<uint64_t> line;
  // The standard input holds the commands, so that none of them can read it.
  bool input_is_taken = false;
  // How many files of commands this one is within.
  int nesting = 0;

  // Reads what `tls` and `token` name, before anything is connected. INVALID_ARGUMENT if that
  // cannot be.
  absl::Status Prepare();
  // What Prepare() has read.
  const Credentials& credentials() const { return prepared_->credentials; }

  // A session for a command of its own, with the same settings and connections.
  Session Fork() const;

  // The one server of `servers` that commands about a server ask: the first that was reached.
  std::string Server() const;
  // The next call of Server() looks again.
  void ForgetServer() { choices_->erase(servers); }

  // A client for keys, which its first call connects: any of `servers` will do.
  absl::StatusOr<Client*> Connect() { return ClientOf(servers); }
  // A client for what is about one server: Server() and no other.
  absl::StatusOr<Client*> ConnectToServer();
  // " at HOST:PORT" where it has to be said which of several that is; else nothing.
  std::string AtServer() const;

  // The bytes that an argument of the command line stands for.
  absl::StatusOr<std::string> Bytes(const std::string& argument) const;
  absl::StatusOr<std::vector<std::string>> Bytes(const std::vector<std::string>& arguments) const;
  // The bytes of a value; "-" stands for the standard input, unchanged. OUT_OF_RANGE if that is
  // longer than any value may be.
  absl::StatusOr<std::string> ValueBytes(const std::string& argument) const;
  // FAILED_PRECONDITION if the standard input holds commands.
  absl::Status CheckInputIsFree() const;

  // Prints a value unchanged; where values would run into each other, also a line feed.
  void PrintValue(std::string_view value) const;

  absl::Duration timeout_or_default() const { return timeout.value_or(absl::Seconds(5)); }

 private:
  absl::StatusOr<Client*> ClientOf(const std::string& addresses);

  struct Prepared {
    TlsOptions tls;
    TokenOptions token;
    std::string name_space;
    Credentials credentials;
  };
  std::shared_ptr<const Prepared> prepared_;
  // By addresses, timeout, TLS, token and namespace.
  using Clients =
      std::map<std::tuple<std::string, absl::Duration, TlsOptions, TokenOptions, std::string>,
               std::unique_ptr<Client>>;
  std::shared_ptr<Clients> clients_ = std::make_shared<Clients>();
  // By addresses.
  using Choices = std::map<std::string, std::string>;
  std::shared_ptr<Choices> choices_ = std::make_shared<Choices>();
};

// Why something failed, for programs: its code, reason and message.
nlohmann::ordered_json ErrorJson(const absl::Status& status);

// Prints why a command failed, and what can be done about it.
void PrintError(const Session& session, const absl::Status& status);

// The code of the worse of two outcomes.
ExitCode Worse(ExitCode one, ExitCode other);

}  // namespace ferrite::cli
