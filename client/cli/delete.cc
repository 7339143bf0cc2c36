#include "absl/strings/str_cat.h"
#include "client/cli/bytes.h"
#include "client/cli/commands.h"
#include "client/cli/entry_json.h"
#include "client/cli/options.h"

namespace ferrite::cli {
namespace {

struct DeleteArguments {
  std::vector<std::string> keys;
  std::optional<uint64_t> if_version;
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
                                                 : JsonVersion(reply->version())}});
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
                                   const std::vector<std::string>& keys) {
  v1::MDeleteRequest request;
  request.mutable_keys()->Assign(keys.begin(), keys.end());
  const absl::StatusOr<v1::MDeleteResponse> reply = client.MDelete(std::move(request));
  if (!reply.ok()) return reply.status();

  int deleted = 0;
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  for (int i = 0; i < reply->deleted_size(); ++i) {
    if (reply->deleted(i)) ++deleted;
    if (session.json) {
      results.push_back({{"key", JsonBytes(keys[i])}, {"deleted", reply->deleted(i)}});
    }
  }
  if (session.json) {
    PrintJson({{"results", results}});
  } else {
    PrintLine(absl::StrCat("deleted ", deleted, " of ", reply->deleted_size()));
  }
  return deleted == reply->deleted_size() ? ExitCode::kOk : ExitCode::kMiss;
}

absl::StatusOr<ExitCode> RunDelete(Session& session, const DeleteArguments& arguments) {
  const absl::StatusOr<std::vector<std::string>> keys = session.Bytes(arguments.keys);
  if (!keys.ok()) return keys.status();
  if (arguments.if_version.has_value() && keys->size() != 1) {
    return absl::InvalidArgumentError("--if-version goes with one key only");
  }
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  if (arguments.if_version.has_value()) {
    return DeleteVersion(session, **client, keys->front(), *arguments.if_version);
  }
  return DeleteAll(session, **client, *keys);
}

}  // namespace

void AddDelete(CLI::App& app, Session& session) {
  auto del = std::make_shared<DeleteArguments>();
  CLI::App* command = AddCommand(app, session, "del", "Delete entries", del, RunDelete);
  command->add_option("KEY", del->keys, "The keys")->required();
  AddUnsigned(command, "--if-version", &del->if_version, "Only if the entry has this version");
}

}  // namespace ferrite::cli
