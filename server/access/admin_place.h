#pragma once

// Keeps what administers a node, or its cluster, to the listener of administrators.

#include <vector>

#include "server/engine/rpc.h"

namespace ferrite {

// RPCs of which those that need the right `admin` (NeedsOf) are refused, PERMISSION_DENIED, to
// whoever comes in elsewhere, whatever the rights.
std::vector<Rpc> AdministeredElsewhere(std::vector<Rpc> plain);

}  // namespace ferrite
