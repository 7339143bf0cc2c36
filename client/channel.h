#pragma once

// How a client connects to a node.

#include <memory>
#include <string>

#include "grpcpp/channel.h"

namespace ferrite {

// The largest answer a client accepts. The server bounds a batch to 3.5 MiB, but a value may be as
// large as its flag says.
inline constexpr int kMaxReceiveBytes = 64 << 20;

// A channel with a connection of its own to `address` ("host:port" or "unix:/path"), opened by the
// first call.
// It never retries a call by itself. Connecting takes up to 1 s; after a failure it pauses 100 ms,
// growing to 1 s, during which calls fail at once with UNAVAILABLE.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address);

}  // namespace ferrite
