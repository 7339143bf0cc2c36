#pragma once

// Frames of which not every operation is allowed: the others are executed, as a frame of their own.

#include "server/access/access_control.h"
#include "server/engine/rpc.h"
#include "server/handlers/wire_handlers.h"

namespace ferrite {

// Of frames in one piece.
Handler CheckedFrames(Handler plain, const AccessControl* access, const WireHandlers* wire);

}  // namespace ferrite
