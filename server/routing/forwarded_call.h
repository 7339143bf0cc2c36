#pragma once

// A unary call about one key whose owner is another node.

#include <cstdint>
#include <memory>

#include "server/engine/answer.h"
#include "server/engine/rpc.h"
#include "server/routing/lane_operation.h"
#include "server/routing/operation_key.h"
#include "server/routing/thread_routing.h"

namespace ferrite {

// Has the node execute the request of `turn`, which is field `field` of an Operation, and sets what
// will answer. `here` must outlive the call.
void ForwardCall(Turn* turn, int field, const RequestPlace& place, ThreadRouting* here);

}  // namespace ferrite
