#pragma once

// What of a message is looked at before anything is made of it. gRPC would refuse the same calls,
// but before they reach us: in no metric, and without a reason that programs can read. It would not
// save memory either, as 1.51 looks at a message's size when all of it is there.

#include <cstddef>

#include "absl/status/status.h"
#include "server/engine/grpc/message.h"

namespace ferrite {

// INVALID_ARGUMENT if the message has more than `max_bytes`; UNIMPLEMENTED if it is compressed: a
// small one may unpack to a huge one. Counts what it refuses.
absl::Status CheckMessage(const ReceivedMessage& message, size_t max_bytes);

}  // namespace ferrite
