#pragma once

// The trailing metadata `server-timing`, for callers that ask for it. cache.proto ("Timing") is its
// contract.

#include <grpcpp/server_context.h>

#include <string>

#include "server/engine/call_times.h"

namespace ferrite {

// "queue;dur=0.012, execute;dur=0.034"
std::string ServerTiming(const CallTimes& times);

// Adds the trailer if the call asked for it. Call it before the end of the call is sent.
void AddServerTiming(const CallTimes& times, grpc::ServerContext* context);

}  // namespace ferrite
