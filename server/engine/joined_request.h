#pragma once

// Handlers that read the bytes of a request, which may be large and have come in pieces: to join 64
// MiB at once would hold up the thread for tens of milliseconds.

#include "server/engine/rpc.h"

namespace ferrite {

// A handler that has `handler` answer requests once they are in one piece: at once if they are or
// are small, otherwise after short steps between which the thread serves others.
Handler OfJoinedRequests(Handler handler);

}  // namespace ferrite
