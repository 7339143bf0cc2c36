#pragma once

#include <string>
#include <string_view>

namespace ferrite::cli {

// Where to call a server, from how it is told to listen: "*:6380", ":6380", "0.0.0.0:6380" and
// "[::]:6380" are every address of this machine, and so localhost; of several with commas, the
// first counts. So a health check can pass on what the server was given. Other addresses stay as
// they are.
std::string CallableAddress(std::string_view listen);

}  // namespace ferrite::cli
