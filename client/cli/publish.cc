#include "absl/strings/str_cat.h"
#include "client/cli/bytes.h"
#include "client/cli/commands.h"

namespace ferrite::cli {
namespace {

struct PublishArguments {
  std::string channel;
  std::string message;
};

absl::StatusOr<ExitCode> RunPublish(Session& session, const PublishArguments& arguments) {
  absl::StatusOr<std::string> channel = session.Bytes(arguments.channel);
  if (!channel.ok()) return channel.status();
  absl::StatusOr<std::string> payload = session.ValueBytes(arguments.message);
  if (!payload.ok()) return payload.status();
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  v1::PublishRequest request;
  request.set_channel(*std::move(channel));
  request.set_payload(*std::move(payload));
  const absl::StatusOr<v1::PublishResponse> reply = (*client)->Publish(request);
  if (!reply.ok()) return reply.status();
  if (session.json) {
    PrintJson({{"channel", JsonBytes(request.channel())},
               {"receivers", reply->receivers()},
               {"sequence", reply->sequence()}});
  } else {
    PrintLine(
        absl::StrCat(reply->receivers(), reply->receivers() == 1 ? " receiver" : " receivers"));
  }
  return ExitCode::kOk;
}

}  // namespace

void AddPublish(CLI::App& app, Session& session) {
  auto publish = std::make_shared<PublishArguments>();
  CLI::App* command = AddCommand(app, session, "publish",
                                 "Publish a message to a channel and print how many streams get it",
                                 publish, RunPublish);
  command->add_option("CHANNEL", publish->channel, "The channel")->required();
  command->add_option("MESSAGE", publish->message, "The message; -: the standard input")
      ->required();
}

}  // namespace ferrite::cli
