#include "client/cli/bytes.h"
#include "client/cli/commands.h"
#include "client/cli/keys.h"

namespace ferrite::cli {
namespace {

absl::StatusOr<ExitCode> RunExists(Session& session, const KeyArguments& arguments) {
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  ExitCode exit_code = ExitCode::kOk;
  JsonResults results(session.json);
  const auto ask = [&](const std::vector<std::string>& keys) {
    v1::ExistsRequest request;
    request.mutable_keys()->Assign(keys.begin(), keys.end());
    absl::StatusOr<v1::ExistsResponse> reply = (*client)->Exists(std::move(request));
    if (!reply.ok()) return reply.status();
    const std::map<int, absl::Status> errors = TakeKeyErrors(&*reply);
    for (int i = 0; i < reply->exists_size(); ++i) {
      if (const auto error = errors.find(i); error != errors.end()) {
        exit_code = ExitCode::kError;
        results.Add(KeyErrorJson(keys[i], error->second));
        if (!session.json) PrintKeyError(keys[i], error->second);
        continue;
      }
      if (!reply->exists(i)) exit_code = Worse(exit_code, ExitCode::kMiss);
      results.Add({{"key", JsonBytes(keys[i])}, {"exists", reply->exists(i)}});
      if (!session.json) PrintLine(DisplayText(keys[i]) + (reply->exists(i) ? ": yes" : ": no"));
    }
    return absl::OkStatus();
  };
  if (absl::Status status = ForEachBatch(session, arguments, ask); !status.ok()) return status;
  results.Begin();
  return exit_code;
}

}  // namespace

void AddExists(CLI::App& app, Session& session) {
  auto exists = std::make_shared<KeyArguments>();
  AddKeys(AddCommand(app, session, "exists", "Print which keys exist", exists, RunExists),
          exists.get());
}

}  // namespace ferrite::cli
