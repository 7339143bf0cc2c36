#pragma once

// What subscribe and watch share: options, and printing events until the end.

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

// Prints the events that `request` asks for, one per line, until Ctrl-C or until `count` messages
// and key events have come. Reconnections are reported on stderr. Fails if the server has not
// acknowledged the subscription within the time for a call, or refuses it.
absl::StatusOr<ExitCode> Follow(Session& session, const FollowArguments& arguments,
                                v1::SubscribeRequest request);

}  // namespace ferrite::cli
