#pragma once

// The answers to batches, put together from the results of their keys (Scatter). A key without an
// answer is named in `errors`; if none has one, the call fails as one of them did (ErrorOfAll).

#include "absl/status/status.h"
#include "server/call/reply_writer.h"
#include "server/routing/scattered.h"

namespace ferrite {

// RESOURCE_EXHAUSTED (REPLY_TOO_LARGE) likewise as on one node.
absl::Status GatherMGet(const ScatteredResults& results, ReplyWriter* reply);
// Each of its results has a place for an error.
absl::Status GatherMSet(const ScatteredResults& results, ReplyWriter* reply);
absl::Status GatherMDelete(const ScatteredResults& results, ReplyWriter* reply);
absl::Status GatherExists(const ScatteredResults& results, ReplyWriter* reply);

}  // namespace ferrite
