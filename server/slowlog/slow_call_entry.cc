#include "server/slowlog/slow_call_entry.h"

#include <chrono>
#include <string_view>

namespace ferrite {

std::optional<TraceParent> TraceOf(const grpc::ServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto [begin, end] = metadata.equal_range("traceparent");
  if (begin == end || std::next(begin) != end) return std::nullopt;
  return ParseTraceParent({begin->second.data(), begin->second.size()});
}

SlowCall MakeSlowCall(Method method, const CallTimes& times, const grpc::ServerContext& context,
                      const grpc::Status& status) {
  SlowCall call;
  call.unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                     std::chrono::system_clock::now().time_since_epoch())
                     .count();
  call.method = method;
  call.times = times;
  call.peer = context.peer();
  call.code = status.error_code();
  call.trace = TraceOf(context);
  return call;
}

}  // namespace ferrite
