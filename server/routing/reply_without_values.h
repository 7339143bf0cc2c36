#pragma once

// What is left of a peer's reply for which there is no room.

#include <memory>
#include <string>

#include "server/call/request.h"
#include "server/routing/held_replies.h"

namespace ferrite {

// A copy of a PipelineResponse of that node, which stays, with an error in place of each result
// that has a value: of a read, that it may be tried again (OVERLOADED); of what was executed for
// more than its value, that it was (ExecutedWithoutAnswer). So nobody is told that a write was
// refused because others read much. Counts these errors. A malformed reply stays malformed.
std::shared_ptr<const Request> HoldWithoutValues(const Request& reply, const std::string& node,
                                                 HeldReplies* replies);

}  // namespace ferrite
