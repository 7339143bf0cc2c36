#pragma once

// Makes an entry of the slow log from a call at its end.

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <utility>

#include "server/engine/message_bytes.h"
#include "server/slowlog/call_subject.h"
#include "server/slowlog/slow_calls.h"

namespace ferrite {

// The trace that the caller of `context` named; absent if it named none, or more than one.
std::optional<TraceParent> TraceOf(const grpc::ServerContext& context);

// An entry with what is the same for all methods; the time is now.
SlowCall MakeSlowCall(Method method, const CallTimes& times, const grpc::ServerContext& context,
                      const grpc::Status& status);

// Adds the call if it was slow. `response_bytes` tells the size of what was sent; `keys` is how
// many keys that was, or 0 if those of the request count. Costs a comparison if the call was not
// slow.
template <typename Request, typename Bytes>
void AddIfSlow(SlowCalls* log, Method method, const CallTimes& times,
               const grpc::ServerContext& context, const grpc::Status& status,
               const Request& request, Bytes response_bytes, uint32_t keys = 0) {
  if (!log->IsSlow(times)) [[likely]]
    return;
  // Or each look into the log would add to it, where every call is logged.
  if (method == Method::kSlowLog) return;
  SlowCall call = MakeSlowCall(method, times, context, status);
  CallSubject subject = SubjectOf(method, request);
  call.key = std::move(subject.key);
  call.keys = keys == 0 ? subject.keys : keys;
  call.request_bytes = MessageBytes(request);
  call.response_bytes = response_bytes();
  log->Add(std::move(call));
}

}  // namespace ferrite
