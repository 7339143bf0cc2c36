#pragma once

// The trailing metadata `server-timing`, for callers that ask for it. cache.proto ("Timing") is its
// contract.

#include <string>

#include "server/call/call_times.h"
#include "server/call/caller.h"
#include "server/engine/answer.h"

namespace ferrite {

// "queue;dur=0.012, execute;dur=0.034"
std::string ServerTiming(const CallTimes& times);

// Adds the trailer if the caller asked for it.
void AddServerTiming(const CallTimes& times, const Caller& caller, CallEnd* end);

}  // namespace ferrite
