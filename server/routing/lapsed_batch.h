#pragma once

// A batch that was answered here, some of whose slots are no longer served here.

#include "absl/status/status.h"
#include "server/call/method.h"
#include "server/call/reply_writer.h"
#include "server/routing/served_since.h"

namespace ferrite {

// Replaces the results of such keys in the reply by errors, which it counts; `slots` are those of
// all keys, in order. If it is all of them the call fails.
absl::Status ReplaceLapsed(Method method, const Slots& slots, const ServedSince& since,
                           ReplyWriter* reply);

}  // namespace ferrite
