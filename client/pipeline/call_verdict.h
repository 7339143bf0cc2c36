#pragma once

// What happens to a call that has left the queue, because its frame was answered or its stream
// broke. Pure decisions.

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "client/pipeline/pending_call.h"
#include "client/slot_error.h"
#include "proto/wire/frame_result.h"

namespace ferrite {

struct CallVerdict {
  enum class Kind {
    kDeliver,    // `status`
    kFollow,     // `moved`, if there is time; otherwise deliver the reason why not
    kTryAgain,   // if allowed (client/retry.h); otherwise deliver `status`
    kSendAlone,  // in an RPC of its own
  };
  Kind kind = Kind::kDeliver;
  absl::Status status;
  // Whether the try, which failed, may have been executed.
  bool may_be_done = false;
  // If kTryAgain: whether executing the call twice does no harm.
  bool repeatable = false;
  // If kTryAgain: what the server says about when, as in FailedAttempt::pushback.
  std::optional<std::string> pushback = {};
  // If kTryAgain: as in FailedAttempt::patient.
  bool patient = false;
  SlotError moved = {};
};

// The verdict on a call with this result, whose response it parses. Absent: the reply has no result
// for it.
CallVerdict VerdictOnResult(const std::optional<FrameResult>& result, PendingCall* call);

// The verdict on a call without an answer, whose stream ended with `why`. `was_sent`: the stream
// had sent it. `has_choice`: there are other nodes.
CallVerdict VerdictOnBrokenStream(const absl::Status& why, bool was_sent, bool repeatable,
                                  bool has_choice);

}  // namespace ferrite
