#include "client/cli/bytes.h"
#include "client/cli/commands.h"

namespace ferrite::cli {
namespace {

struct ExistsArguments {
  std::vector<std::string> keys;
};

absl::StatusOr<ExitCode> RunExists(Session& session, const ExistsArguments& arguments) {
  const absl::StatusOr<std::vector<std::string>> keys = session.Bytes(arguments.keys);
  if (!keys.ok()) return keys.status();
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  v1::ExistsRequest request;
  request.mutable_keys()->Assign(keys->begin(), keys->end());
  const absl::StatusOr<v1::ExistsResponse> reply = (*client)->Exists(std::move(request));
  if (!reply.ok()) return reply.status();

  ExitCode exit_code = ExitCode::kOk;
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  for (int i = 0; i < reply->exists_size(); ++i) {
    if (!reply->exists(i)) exit_code = ExitCode::kMiss;
    if (session.json) {
      results.push_back({{"key", JsonBytes((*keys)[i])}, {"exists", reply->exists(i)}});
    } else {
      PrintLine(DisplayText((*keys)[i]) + (reply->exists(i) ? ": yes" : ": no"));
    }
  }
  if (session.json) PrintJson({{"results", results}});
  return exit_code;
}

}  // namespace

void AddExists(CLI::App& app, Session& session) {
  auto exists = std::make_shared<ExistsArguments>();
  CLI::App* command =
      AddCommand(app, session, "exists", "Print which keys exist", exists, RunExists);
  command->add_option("KEY", exists->keys, "The keys")->required();
}

}  // namespace ferrite::cli
