#include "client/cli/commands.h"
#include "client/cli/events/follow.h"
#include "client/cli/usage.h"

namespace ferrite::cli {
namespace {

struct SubscribeArguments {
  std::vector<std::string> channels;
  std::vector<std::string> globs;
  FollowArguments follow;
};

absl::StatusOr<ExitCode> RunSubscribe(Session& session, const SubscribeArguments& arguments) {
  const absl::StatusOr<std::vector<std::string>> channels = session.Bytes(arguments.channels);
  if (!channels.ok()) return channels.status();
  const absl::StatusOr<std::vector<std::string>> globs = session.Bytes(arguments.globs);
  if (!globs.ok()) return globs.status();
  if (channels->empty() && globs->empty()) {
    return WrongUse("name a CHANNEL, or give a --glob");
  }
  v1::SubscribeRequest request;
  request.mutable_channels()->Assign(channels->begin(), channels->end());
  request.mutable_channel_globs()->Assign(globs->begin(), globs->end());
  return Follow(session, arguments.follow, std::move(request));
}

}  // namespace

void AddSubscribe(CLI::App& app, Session& session) {
  auto subscribe = std::make_shared<SubscribeArguments>();
  CLI::App* command = AddCommand(app, session, "subscribe",
                                 "Print the messages of channels as they come, until Ctrl-C",
                                 subscribe, RunSubscribe);
  command->add_option("CHANNEL", subscribe->channels, "The channels");
  command
      ->add_option("--glob", subscribe->globs,
                   "Channels whose names match, such as 'news.*'; may be repeated")
      ->allow_extra_args(false);
  AddFollowOptions(command, &subscribe->follow);
}

}  // namespace ferrite::cli
