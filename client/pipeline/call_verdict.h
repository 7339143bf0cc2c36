#pragma once

// What becomes of a call that has left the queue: of one whose frame was answered, and of one whose
// stream broke. Pure decisions.

#include <optional>

#include "absl/status/status.h"
#include "client/pipeline/pending_call.h"
#include "proto/wire/frame_result.h"

namespace ferrite {

struct CallVerdict {
  enum class Kind {
    kDeliver,    // `status`
    kTryAgain,   // if that is allowed (client/retry.h); else deliver `status`
    kSendAlone,  // in an RPC of its own
  };
  Kind kind = Kind::kDeliver;
  absl::Status status;
  // If kTryAgain: whether it does no harm.
  bool repeatable = false;
};

// What the result of its operation means for a call, which takes the response in. Absent: the reply
// holds no result for it.
CallVerdict VerdictOnResult(const std::optional<FrameResult>& result, PendingCall* call);

// What the end of its stream, with `why`, means for a call that has no answer. `was_sent`: in a
// frame of it.
CallVerdict VerdictOnBrokenStream(const absl::Status& why, bool was_sent, bool repeatable);

}  // namespace ferrite
