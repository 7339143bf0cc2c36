#pragma once

// Makes an entry of the slow log from a call at its end.

#include <optional>

#include "absl/status/status.h"
#include "server/call/caller.h"
#include "server/call/request.h"
#include "server/slowlog/call_subject.h"
#include "server/slowlog/slow_calls.h"

namespace ferrite {

// Bytes of a peer's address that are kept; there are no longer ones.
inline constexpr size_t kPeerBytes = 96;

// What the log keeps of a call at most: the call itself, its key, its peer, the traces of a frame's
// operations, and what the allocator takes for each of these three beside what it gives.
inline constexpr size_t kSlowCallBytes = sizeof(SlowCall) + kSubjectKeyBytes + kPeerBytes +
                                         kSubjectTraces * sizeof(TraceParent) + 3 * 32;

// What is said of one call, or of one frame of a stream.
struct SlowCallSubject {
  Method method;
  CallTimes times;
  uint32_t keys = 0;  // how many were sent; 0: those of the request count
  uint64_t response_bytes = 0;
};

// The trace that the caller named; absent if it named none, or more than one.
std::optional<TraceParent> TraceOf(const Caller& caller);

// Adds a call that was slow; the time is now. Out of line, as it seldom happens.
void AddSlowCall(SlowCalls* log, const SlowCallSubject& subject, const Caller& caller,
                 const absl::Status& status, const Request& request);

// The same if it was slow. Costs a comparison if not.
inline void AddIfSlow(SlowCalls* log, const SlowCallSubject& subject, const Caller& caller,
                      const absl::Status& status, const Request& request) {
  if (log->IsSlow(subject.times)) [[unlikely]]
    AddSlowCall(log, subject, caller, status, request);
}

}  // namespace ferrite
