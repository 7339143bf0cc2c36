#include "client/cli/bytes.h"
#include "client/cli/commands.h"
#include "client/cli/entry_json.h"

namespace ferrite::cli {
namespace {

struct GetArguments {
  std::string key;
};

absl::StatusOr<ExitCode> RunGet(Session& session, const GetArguments& arguments) {
  const absl::StatusOr<std::string> key = session.Bytes(arguments.key);
  if (!key.ok()) return key.status();
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  const absl::StatusOr<v1::GetResponse> reply = (*client)->Get(*key);
  if (!reply.ok()) return reply.status();

  if (session.json) {
    PrintJson(JsonRead(*key, *reply));
  } else if (reply->found()) {
    PrintRaw(reply->value());
  } else {
    PrintNote(DisplayText(*key) + " is not there");
  }
  return reply->found() ? ExitCode::kOk : ExitCode::kMiss;
}

struct MGetArguments {
  std::vector<std::string> keys;
};

absl::StatusOr<ExitCode> RunMGet(Session& session, const MGetArguments& arguments) {
  const absl::StatusOr<std::vector<std::string>> keys = session.Bytes(arguments.keys);
  if (!keys.ok()) return keys.status();
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  const absl::StatusOr<v1::MGetResponse> reply = (*client)->MGet(*keys);
  if (!reply.ok()) return reply.status();

  ExitCode exit_code = ExitCode::kOk;
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  for (int i = 0; i < reply->results_size(); ++i) {
    const v1::GetResponse& read = reply->results(i);
    if (!read.found()) exit_code = ExitCode::kMiss;
    if (session.json) {
      results.push_back(JsonRead((*keys)[i], read));
    } else if (read.found()) {
      PrintLine(DisplayText((*keys)[i]) + ": " + DisplayText(read.value()));
    } else {
      PrintNote(DisplayText((*keys)[i]) + " is not there");
    }
  }
  if (session.json) PrintJson({{"results", results}});
  return exit_code;
}

}  // namespace

void AddGet(CLI::App& app, Session& session) {
  auto get = std::make_shared<GetArguments>();
  CLI::App* command = AddCommand(app, session, "get", "Print the value of a key", get, RunGet);
  command->add_option("KEY", get->key, "The key")->required();

  auto mget = std::make_shared<MGetArguments>();
  command = AddCommand(app, session, "mget", "Print the values of many keys, escaped, one per line",
                       mget, RunMGet);
  command->add_option("KEY", mget->keys, "The keys")->required();
}

}  // namespace ferrite::cli
