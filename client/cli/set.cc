#include "absl/strings/str_cat.h"
#include "client/cli/bytes.h"
#include "client/cli/commands.h"
#include "client/cli/entry_json.h"
#include "client/cli/options.h"
#include "client/repeatable.h"
#include "client/retry.h"

namespace ferrite::cli {
namespace {

struct SetArguments {
  std::string key;
  std::string value;
  std::optional<absl::Duration> ttl;
  bool keep_ttl = false;
  bool if_absent = false;
  bool if_present = false;
  std::optional<uint64_t> if_version;
  bool return_previous = false;
};

absl::StatusOr<v1::SetRequest> MakeSetRequest(const Session& session,
                                              const SetArguments& arguments) {
  absl::StatusOr<std::string> key = session.Bytes(arguments.key);
  if (!key.ok()) return key.status();
  absl::StatusOr<std::string> value = session.ValueBytes(arguments.value);
  if (!value.ok()) return value.status();
  v1::SetRequest request;
  request.set_key(*std::move(key));
  request.set_value(*std::move(value));
  if (arguments.ttl.has_value()) request.set_ttl_ms(absl::ToInt64Milliseconds(*arguments.ttl));
  if (arguments.keep_ttl) request.set_keep_ttl(true);
  if (arguments.if_absent) request.set_condition(v1::SET_CONDITION_ABSENT);
  if (arguments.if_present) request.set_condition(v1::SET_CONDITION_PRESENT);
  if (arguments.if_version.has_value()) request.set_if_version(*arguments.if_version);
  request.set_return_previous(arguments.return_previous);
  if (!IsRepeatable(request)) request.set_request_id(NewRequestId());
  return request;
}

void PrintSet(const Session& session, const v1::SetRequest& request, const v1::SetResponse& reply) {
  if (session.json) {
    nlohmann::ordered_json result = {{"key", JsonBytes(request.key())},
                                     {"stored", reply.stored()},
                                     {"version", reply.version()}};
    if (request.return_previous()) result["previous"] = nullptr;
    if (reply.has_previous()) {
      result["previous"] = {{"value", JsonBytes(reply.previous().value())},
                            {"version", reply.previous().version()},
                            {"ttl_ms", JsonTtl(reply.previous())}};
    }
    return PrintJson(result);
  }
  const std::string_view outcome =
      reply.stored() ? "stored" : "not stored: the condition does not hold";
  if (!request.return_previous()) {
    reply.stored() ? PrintLine(outcome) : PrintNote(outcome);
    return;
  }
  // Scripts need the previous value alone on the standard output.
  PrintNote(outcome);
  reply.has_previous() ? session.PrintValue(reply.previous().value())
                       : PrintNote("there was no previous entry");
}

absl::StatusOr<ExitCode> RunSet(Session& session, const SetArguments& arguments) {
  const absl::StatusOr<v1::SetRequest> request = MakeSetRequest(session, arguments);
  if (!request.ok()) return request.status();
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  const absl::StatusOr<v1::SetResponse> reply = (*client)->Set(*request);
  if (!reply.ok()) return reply.status();
  PrintSet(session, *request, *reply);
  return reply->stored() ? ExitCode::kOk : ExitCode::kMiss;
}

}  // namespace

void AddSet(CLI::App& app, Session& session) {
  auto set = std::make_shared<SetArguments>();
  CLI::App* command =
      AddCommand(app, session, "set", "Write an entry, always or under a condition", set, RunSet);
  command->add_option("KEY", set->key, "The key")->required();
  command->add_option("VALUE", set->value, "The value; - reads it from the standard input")
      ->required();
  CLI::Option* ttl = AddTtl(command, "--ttl", &set->ttl, "Let the entry expire after this time");
  command
      ->add_flag("--keep-ttl", set->keep_ttl, "Keep the time to live of the entry that is replaced")
      ->excludes(ttl);
  CLI::Option* absent =
      command->add_flag("--if-absent", set->if_absent, "Only if the key is not there");
  command->add_flag("--if-present", set->if_present, "Only if the key is there")->excludes(absent);
  AddUnsigned(command, "--if-version", &set->if_version, "Only if the entry has this version")
      ->excludes(absent);
  command->add_flag("--return-previous", set->return_previous,
                    "Print the value that was there before");
}

}  // namespace ferrite::cli
