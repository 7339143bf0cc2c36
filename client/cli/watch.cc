#include "client/cli/commands.h"
#include "client/cli/events/event_report.h"
#include "client/cli/events/follow.h"
#include "client/cli/usage.h"

namespace ferrite::cli {
namespace {

constexpr v1::KeyEventKind kKinds[] = {v1::KEY_EVENT_KIND_SET, v1::KEY_EVENT_KIND_DELETE,
                                       v1::KEY_EVENT_KIND_INCR, v1::KEY_EVENT_KIND_EXPIRE,
                                       v1::KEY_EVENT_KIND_EVICT};

struct WatchArguments {
  std::optional<std::string> prefix;
  std::vector<std::string> keys;
  std::vector<std::string> kinds;
  bool values = false;
  FollowArguments follow;
};

absl::StatusOr<ExitCode> RunWatch(Session& session, const WatchArguments& arguments) {
  v1::SubscribeRequest request;
  if (arguments.prefix.has_value()) {
    const absl::StatusOr<std::string> prefix = session.Bytes(*arguments.prefix);
    if (!prefix.ok()) return prefix.status();
    request.add_key_prefixes(*prefix);
  }
  const absl::StatusOr<std::vector<std::string>> keys = session.Bytes(arguments.keys);
  if (!keys.ok()) return keys.status();
  request.mutable_keys()->Assign(keys->begin(), keys->end());
  if (request.key_prefixes().empty() && request.keys().empty()) {
    return WrongUse("name a PREFIX, \"\" for every key, or a --key");
  }
  for (const v1::KeyEventKind kind : kKinds) {
    for (const std::string& name : arguments.kinds) {
      if (name == KindName(kind)) request.add_key_event_kinds(kind);
    }
  }
  request.set_with_values(arguments.values);
  return Follow(session, arguments.follow, std::move(request));
}

}  // namespace

void AddWatch(CLI::App& app, Session& session) {
  auto watch = std::make_shared<WatchArguments>();
  CLI::App* command = AddCommand(
      app, session, "watch", "Print events of keys as they happen, until Ctrl-C", watch, RunWatch);
  command->add_option("PREFIX", watch->prefix, "Keys that start with this; \"\": every key");
  command->add_option("--key", watch->keys, "This key, too; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--kind", watch->kinds, "Only these kinds of events, separated by commas")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"set", "delete", "incr", "expire", "evict"}));
  command->add_flag("--values", watch->values, "Print values that were written, too");
  AddFollowOptions(command, &watch->follow);
}

}  // namespace ferrite::cli
