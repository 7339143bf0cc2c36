#pragma once

// Deletes every entry of one node.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/credentials.h"

namespace ferrite::cli {

// Hears now and then how many entries were deleted so far, and which part of the work is done.
using FlushListener = std::function<void(uint64_t deleted, double done_fraction)>;

// Returns how many were deleted; an error says how many by then. It may take any time, but the node
// must not be silent for longer than `timeout`. Waits for the node's own answer, whoever else
// there is.
absl::StatusOr<uint64_t> FlushNode(const std::string& server, const Credentials& credentials,
                                   absl::Duration timeout, const FlushListener& listener);

// "1,001 entries"
std::string EntriesText(uint64_t count);

}  // namespace ferrite::cli
