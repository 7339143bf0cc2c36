#pragma once

// The keys that a command works on: any number of them, from the command line or the standard
// input, in batches that a server accepts.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "client/batch.h"
#include "client/cli/records.h"
#include "client/cli/session.h"
#include "client/error.h"

namespace ferrite::cli {

// What one call may carry. Requests stay far below gRPC's limit.
inline constexpr size_t kMostKeysInBatch = 1024;
inline constexpr size_t kMostBytesInBatch = 1 << 20;

struct KeyArguments {
  std::vector<std::string> keys;
  bool from_input = false;
  bool null = false;  // NUL instead of line feeds

  // Throws what CLI11 throws if keys come from nowhere, or from two places.
  void Check() const;
};

// Adds KEY..., --stdin and --null.
void AddKeys(CLI::App* command, KeyArguments* arguments);

// Adds --stdin and --null; `what`: what there is to read.
void AddInput(CLI::App* command, const std::string& what, bool* from_input, bool* null);

// Words from the command line or the standard input, decoded.
class WordSource {
 public:
  // With `from_input` the words are read, else they are those of `arguments`.
  static absl::StatusOr<WordSource> Open(const Session& session,
                                         const std::vector<std::string>& arguments, bool from_input,
                                         bool null, size_t most_bytes);

  // The next word; absent at the end.
  absl::StatusOr<std::optional<std::string>> Next();

  // "key 3", as far as the standard input is concerned; empty for the command line.
  std::string place() const;

 private:
  WordSource(const Session& session, std::vector<std::string> words,
             std::optional<RecordReader> input)
      : session_(&session), words_(std::move(words)), input_(std::move(input)) {}

  const Session* session_;
  std::vector<std::string> words_;
  size_t next_word_ = 0;
  std::optional<RecordReader> input_;
};

// Hands the keys to `handle`, as many at a time as one call may carry, in order. The first failure
// ends it and says how many keys were handled before.
absl::Status ForEachBatch(
    const Session& session, const KeyArguments& arguments,
    absl::FunctionRef<absl::Status(const std::vector<std::string>& keys)> handle);

// Of a cluster, keys of a batch may have no answer, as those of a node that is down: their errors,
// by their places. Takes them out of the response.
template <class Response>
std::map<int, absl::Status> TakeKeyErrors(Response* response) {
  std::map<int, absl::Status> errors;
  for (const auto& [i, error] : TakeErrors(response)) errors.emplace(i, ToAbslStatus(error));
  return errors;
}

// Says why a key has no answer: for programs, and for people.
nlohmann::ordered_json KeyErrorJson(const std::string& key, const absl::Status& why);
void PrintKeyError(const std::string& key, const absl::Status& why);

// Reads the keys and hands each with its outcome to `visit`, in order. Asks again for fewer of them
// if their values are too much for one reply.
absl::Status ReadKeys(
    Client& client, const std::vector<std::string>& keys,
    absl::FunctionRef<void(const std::string& key, const absl::StatusOr<v1::GetResponse>& read)>
        visit);

// {"results":[...]}, printed piece by piece; silent unless `on`.
class JsonResults {
 public:
  explicit JsonResults(bool on) : on_(on) {}
  ~JsonResults();
  JsonResults(const JsonResults&) = delete;
  JsonResults& operator=(const JsonResults&) = delete;

  void Add(const nlohmann::ordered_json& result);
  // There are results, even if they are none.
  void Begin();

 private:
  const bool on_;
  bool begun_ = false;
  bool any_ = false;
};

}  // namespace ferrite::cli
