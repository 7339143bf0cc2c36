#pragma once

// What all commands share: the server's address, output, and the client.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/client.h"
#include "nlohmann/json.hpp"

namespace ferrite::cli {

// What the process returns.
enum class ExitCode : int {
  kOk = 0,     // a hit; done
  kMiss = 1,   // a miss; a condition that did not hold
  kError = 2,  // anything else
};

struct Session {
  std::string server = "127.0.0.1:6380";
  std::optional<absl::Duration> timeout;
  bool json = false;
  bool base64 = false;
  // What the chosen command does. Set while the command line is parsed, run afterwards.
  std::function<absl::StatusOr<ExitCode>(Session& session)> run;

  // The client, which its first call connects.
  absl::StatusOr<Client*> Connect();

  // The bytes that an argument of the command line stands for.
  absl::StatusOr<std::string> Bytes(const std::string& argument) const;
  absl::StatusOr<std::vector<std::string>> Bytes(const std::vector<std::string>& arguments) const;
  // The bytes of a value; "-" stands for the standard input, unchanged.
  absl::StatusOr<std::string> ValueBytes(const std::string& argument) const;

  absl::Duration timeout_or_default() const { return timeout.value_or(absl::Seconds(5)); }

 private:
  std::unique_ptr<Client> client_;
};

// Prints one JSON value on a line of its own.
void PrintJson(const nlohmann::ordered_json& value);

// Prints `bytes` unchanged; on a terminal, also a line feed.
void PrintRaw(std::string_view bytes);

// Prints a line.
void PrintLine(std::string_view line);

// Prints a line for people, on stderr, where scripts do not read.
void PrintNote(std::string_view line);

// Prints why a command failed, and what can be done about it.
void PrintError(const Session& session, const absl::Status& status);

}  // namespace ferrite::cli
