#pragma once

// What subscribe and watch have in common: options, and printing what comes until the end.

#include <cstdint>
#include <optional>
#include <string>

#include "CLI/CLI.hpp"
#include "client/cli/session.h"
#include "ferrite/v1/cache.pb.h"

namespace ferrite::cli {

struct FollowArguments {
  std::optional<uint64_t> count;  // absent: until Ctrl-C
  std::string resume;             // a token in base64; empty: from now on
};

void AddFollowOptions(CLI::App* command, FollowArguments* arguments);

// Prints the events that `request` asks for, one a line, until Ctrl-C or so many messages and
// events of keys. Reconnections are noted on stderr. Fails if the server has not acknowledged the
// subscription within the time for a call, or refuses it.
absl::StatusOr<ExitCode> Follow(Session& session, const FollowArguments& arguments,
                                v1::SubscribeRequest request);

}  // namespace ferrite::cli
