#include "absl/strings/str_cat.h"
#include "client/annotated.h"
#include "client/cli/bytes.h"
#include "client/cli/commands.h"
#include "client/cli/entry_json.h"
#include "client/cli/keys.h"
#include "client/cli/options.h"
#include "client/cli/quantity.h"
#include "client/cli/usage.h"

namespace ferrite::cli {
namespace {

struct DeleteArguments {
  KeyArguments keys;
  std::optional<uint64_t> if_version;

  void Check() const { keys.Check(); }
};

absl::StatusOr<ExitCode> DeleteVersion(Session& session, Client& client, const std::string& key,
                                       uint64_t version) {
  v1::DeleteRequest request;
  request.set_key(key);
  request.set_if_version(version);
  const absl::StatusOr<v1::DeleteResponse> reply = client.Delete(std::move(request));
  if (!reply.ok()) return reply.status();
  if (session.json) {
    PrintJson({{"key", JsonBytes(key)},
               {"deleted", reply->deleted()},
               {"version", reply->version() == 0 ? nlohmann::ordered_json(nullptr)
                                                 : nlohmann::ordered_json(reply->version())}});
  } else if (reply->deleted()) {
    PrintLine("deleted");
  } else {
    PrintNote(reply->version() == 0
                  ? DisplayText(key) + " is not there"
                  : absl::StrCat("not deleted: the version is ", reply->version()));
  }
  return reply->deleted() ? ExitCode::kOk : ExitCode::kMiss;
}

absl::StatusOr<ExitCode> DeleteAll(Session& session, Client& client,
                                   const KeyArguments& arguments) {
  uint64_t asked = 0;
  uint64_t deleted = 0;
  bool failed = false;
  JsonResults results(session.json);
  const auto remove = [&](const std::vector<std::string>& keys) {
    v1::MDeleteRequest request;
    request.mutable_keys()->Assign(keys.begin(), keys.end());
    absl::StatusOr<v1::MDeleteResponse> reply = client.MDelete(std::move(request));
    if (!reply.ok()) return reply.status();
    const std::map<int, absl::Status> errors = TakeKeyErrors(&*reply);
    for (int i = 0; i < reply->deleted_size(); ++i) {
      if (const auto error = errors.find(i); error != errors.end()) {
        failed = true;
        results.Add(KeyErrorJson(keys[i], error->second));
        if (!session.json) PrintKeyError(keys[i], error->second);
        continue;
      }
      if (reply->deleted(i)) ++deleted;
      results.Add({{"key", JsonBytes(keys[i])}, {"deleted", reply->deleted(i)}});
    }
    asked += keys.size();
    return absl::OkStatus();
  };
  if (absl::Status status = ForEachBatch(session, arguments, remove); !status.ok()) {
    if (deleted == 0) return status;
    return Annotated(status, "", absl::StrCat(", ", Grouped(deleted), " of them deleted"));
  }
  results.Begin();
  if (!session.json) PrintLine(absl::StrCat("deleted ", deleted, " of ", asked));
  if (failed) return ExitCode::kError;
  return deleted == asked ? ExitCode::kOk : ExitCode::kMiss;
}

absl::StatusOr<ExitCode> RunDelete(Session& session, const DeleteArguments& arguments) {
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  if (!arguments.if_version.has_value()) return DeleteAll(session, **client, arguments.keys);
  if (arguments.keys.keys.size() != 1) {
    return WrongUse("--if-version goes with one key only");
  }
  const absl::StatusOr<std::string> key = session.Bytes(arguments.keys.keys.front());
  if (!key.ok()) return key.status();
  return DeleteVersion(session, **client, *key, *arguments.if_version);
}

}  // namespace

void AddDelete(CLI::App& app, Session& session) {
  auto del = std::make_shared<DeleteArguments>();
  CLI::App* command = AddCommand(app, session, "del", "Delete entries", del, RunDelete);
  AddKeys(command, &del->keys);
  AddUnsigned(command, "--if-version", &del->if_version, "Only if the entry has this version");
}

}  // namespace ferrite::cli
