#pragma once

// Shows the FrameGuard what gRPC reads. gRPC has no place for that; but it calls recvmsg() by
// name, and a program's own definition goes before the C library's. So it does for SSL_read(),
// which decrypts; for sendmsg(); for epoll_ctl(), by which it waits; and for
// close(), after which a descriptor's number stands for something else.
//
// Only where this is linked into a program; the sanitizers have definitions of their own.

#include "server/guard/frame_guard.h"
#include "server/settings/settings.h"

namespace ferrite {

// Returns a guard that is shown all that is read from now on; null with --frame-guard=off, and in a
// build that has no hook, which is logged. It lives as long as the process, as gRPC closes
// descriptors in its own time. Call it once, before the first thread is started.
FrameGuard* HookFrames(const Settings& settings);

}  // namespace ferrite
