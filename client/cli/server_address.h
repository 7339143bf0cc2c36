#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "client/credentials.h"

namespace ferrite::cli {

// Where to call a server, from how it is told to listen: "*:6380", ":6380", "0.0.0.0:6380" and
// "[::]:6380" are every address of this machine, and so localhost. Other addresses stay as they
// are. So a health check can pass on what the server was given. There may be several, with commas.
std::string CallableAddresses(std::string_view listen);

// The addresses one by one.
std::vector<std::string> SplitAddresses(std::string_view addresses);

// The first of them that can be connected to; the first one if none can, or there is no other.
// Tries each for up to a second, and not longer than `timeout`.
std::string FirstReachable(const std::vector<std::string>& addresses,
                           const Credentials& credentials, absl::Duration timeout);

}  // namespace ferrite::cli
