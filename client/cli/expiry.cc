#include "client/cli/bytes.h"
#include "client/cli/commands.h"
#include "client/cli/duration.h"
#include "client/cli/entry_json.h"
#include "client/cli/options.h"

namespace ferrite::cli {
namespace {

struct ExpiryArguments {
  std::string key;
  std::optional<absl::Duration> ttl;
  bool persist = false;
};

// Both commands are a Touch; without a new expiry it only reads.
absl::StatusOr<ExitCode> RunExpiry(Session& session, const ExpiryArguments& arguments) {
  const absl::StatusOr<std::string> key = session.Bytes(arguments.key);
  if (!key.ok()) return key.status();
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  v1::TouchRequest request;
  request.set_key(*key);
  if (arguments.ttl.has_value()) request.set_ttl_ms(absl::ToInt64Milliseconds(*arguments.ttl));
  if (arguments.persist) request.set_persist(true);
  const absl::StatusOr<v1::TouchResponse> reply = (*client)->Touch(std::move(request));
  if (!reply.ok()) return reply.status();

  if (session.json) {
    nlohmann::ordered_json result = {{"key", JsonBytes(*key)}, {"found", reply->found()}};
    if (reply->found()) {
      result["version"] = reply->version();
      result["ttl_ms"] = JsonTtl(*reply);
    }
    PrintJson(result);
  } else if (!reply->found()) {
    PrintNote(DisplayText(*key) + " is not there");
  } else {
    PrintLine(reply->has_ttl_ms() ? RenderDuration(absl::Milliseconds(reply->ttl_ms())) : "never");
  }
  return reply->found() ? ExitCode::kOk : ExitCode::kMiss;
}

}  // namespace

void AddExpiry(CLI::App& app, Session& session) {
  const auto add = [&](const char* name, const char* description, auto arguments) {
    CLI::App* command = AddCommand(app, session, name, description, arguments, RunExpiry);
    command->add_option("KEY", arguments->key, "The key")->required();
    return command;
  };
  auto expire = std::make_shared<ExpiryArguments>();
  AddTtl(add("expire", "Let an entry expire after a time", expire), "TTL", &expire->ttl,
         "The time, such as 30s")
      ->required();

  auto persist = std::make_shared<ExpiryArguments>();
  add("persist", "Let an entry not expire", persist);
  persist->persist = true;

  auto ttl = std::make_shared<ExpiryArguments>();
  add("ttl", "Print an entry's remaining time to live, or never", ttl);

  auto touch = std::make_shared<ExpiryArguments>();
  CLI::App* command = add("touch", "Change when an entry expires", touch);
  CLI::App* either = command->add_option_group("expiry");
  AddTtl(either, "--ttl", &touch->ttl, "Let it expire after this time");
  either->add_flag("--persist", touch->persist, "Remove its expiry");
  either->require_option(1);
}

}  // namespace ferrite::cli
