#pragma once

// How a client connects to a node.

#include <memory>
#include <string>

#include "client/credentials.h"
#include "grpcpp/channel.h"

namespace ferrite {

// The largest answer a client accepts: the largest value that a server can be told to take, 64 MiB,
// and what is around it.
inline constexpr int kMaxReceiveBytes = 68 << 20;

// A channel with a connection of its own to `address` ("host:port" or "unix:/path"), opened by the
// first call.
// `credentials` say whether it speaks TLS, but for the file of a socket, whose permissions say who
// may connect: a server speaks none there. It never retries a call by itself. Connecting takes up
// to 1 s; after a failure it pauses 100 ms, growing to 1 s, during which calls fail at once with
// UNAVAILABLE.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address,
                                           const Credentials& credentials);

}  // namespace ferrite
