#pragma once

// Asks who answers at an address.

#include <chrono>
#include <string>

#include "absl/status/statusor.h"
#include "ferrite/internal/v1/peer.pb.h"
#include "server/dial/dial_credentials.h"

namespace ferrite::cluster {

// Calls PeerService.Hello at `address`, which is HOST:PORT, over a connection of its own. Blocks
// for `timeout` at most. UNAVAILABLE, for people, if nobody answers, or nobody who knows this call.
absl::StatusOr<internal::v1::HelloResponse> SayHello(const std::string& address,
                                                     const std::string& own_id,
                                                     const DialCredentials& credentials,
                                                     std::chrono::nanoseconds timeout);

}  // namespace ferrite::cluster
