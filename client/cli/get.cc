#include "client/cli/bytes.h"
#include "client/cli/commands.h"
#include "client/cli/entry_json.h"
#include "client/cli/keys.h"

namespace ferrite::cli {
namespace {

struct GetArguments {
  std::string key;
  const CLI::Option* key_option = nullptr;
  KeyArguments many;  // with --stdin

  void Check() const {
    const bool given = key_option->count() > 0;
    if (!given && !many.from_input) throw CLI::RequiredError("KEY, or --stdin,");
    if (given && many.from_input) throw CLI::ExcludesError("--stdin", "KEY");
  }
};

// The values of the keys on the standard input, each on a line of its own, or in front of a NUL.
absl::StatusOr<ExitCode> GetMany(const Session& session, Client& client,
                                 const KeyArguments& arguments) {
  ExitCode exit_code = ExitCode::kOk;
  const auto print = [&](const std::string& key, const absl::StatusOr<v1::GetResponse>& read) {
    if (!read.ok()) {
      exit_code = ExitCode::kError;
      return session.json ? PrintJson(KeyErrorJson(key, read.status()))
                          : PrintKeyError(key, read.status());
    }
    if (!read->found()) exit_code = Worse(exit_code, ExitCode::kMiss);
    if (session.json) {
      PrintJson(JsonRead(key, *read));
    } else if (read->found()) {
      PrintBytes(read->value());
      PrintBytes(arguments.null ? std::string_view("\0", 1) : "\n");
    } else {
      PrintNote(DisplayText(key) + " is not there");
    }
  };
  const absl::Status status = ForEachBatch(
      session, arguments,
      [&](const std::vector<std::string>& keys) { return ReadKeys(client, keys, print); });
  if (!status.ok()) return status;
  return exit_code;
}

absl::StatusOr<ExitCode> RunGet(Session& session, const GetArguments& arguments) {
  const absl::StatusOr<std::string> key = session.Bytes(arguments.key);
  if (!key.ok()) return key.status();
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  if (arguments.many.from_input) return GetMany(session, **client, arguments.many);
  const absl::StatusOr<v1::GetResponse> reply = (*client)->Get(*key);
  if (!reply.ok()) return reply.status();

  if (session.json) {
    PrintJson(JsonRead(*key, *reply));
  } else if (reply->found()) {
    arguments.many.null ? PrintBytes(reply->value() + '\0') : session.PrintValue(reply->value());
  } else {
    PrintNote(DisplayText(*key) + " is not there");
  }
  return reply->found() ? ExitCode::kOk : ExitCode::kMiss;
}

}  // namespace

void AddGet(CLI::App& app, Session& session) {
  auto get = std::make_shared<GetArguments>();
  CLI::App* command = AddCommand(app, session, "get", "Print the value of a key", get, RunGet);
  get->key_option = command->add_option("KEY", get->key, "The key");
  AddInput(command, "keys", &get->many.from_input, &get->many.null);
}

}  // namespace ferrite::cli
