#include "server/slowlog/slow_call_entry.h"

#include <chrono>
#include <utility>

namespace ferrite {

std::optional<TraceParent> TraceOf(const Caller& caller) {
  const std::optional<std::string_view> named = caller.Metadata("traceparent");
  return named.has_value() ? ParseTraceParent(*named) : std::nullopt;
}

void AddSlowCall(SlowCalls* log, const SlowCallSubject& subject, const Caller& caller,
                 const absl::Status& status, const Request& request) {
  // Or each look into the log would add to it, where every call is logged.
  if (subject.method == Method::kSlowLog) return;
  CallSubject about = SubjectOf(subject.method, request);
  SlowCall call;
  call.unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                     std::chrono::system_clock::now().time_since_epoch())
                     .count();
  call.method = subject.method;
  call.name_space = caller.name_space();
  call.key = std::move(about.key);
  call.keys = subject.keys == 0 ? about.keys : subject.keys;
  call.request_bytes = request.size();
  call.response_bytes = subject.response_bytes;
  call.times = subject.times;
  call.peer = caller.peer().substr(0, kPeerBytes);
  call.code = static_cast<int>(status.code());
  call.operation_traces = std::move(about.traces);
  call.trace = call.operation_traces.empty() ? TraceOf(caller) : call.operation_traces.front();
  log->Add(std::move(call));
}

}  // namespace ferrite
