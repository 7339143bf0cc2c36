#pragma once

namespace ferrite {

// Has gRPC write to the log, at level debug and info: most of what it says is about what single
// clients do, which is no error of the server's.
void LogGrpc();

}  // namespace ferrite
