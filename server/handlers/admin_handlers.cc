#include "server/handlers/admin_handlers.h"

#include <unistd.h>

#include "server/handlers/method_stats.h"

namespace ferrite {
namespace {

void FillSlowCall(const SlowCall& call, v1::SlowCall* entry) {
  entry->set_id(call.id);
  entry->set_unix_ms(call.unix_ms);
  const MethodName& name = kMethodNames[static_cast<size_t>(call.method)];
  entry->set_service(std::string(name.service));
  entry->set_method(std::string(name.method));
  entry->set_key(call.key);
  entry->set_keys(call.keys);
  entry->set_request_bytes(call.request_bytes);
  entry->set_response_bytes(call.response_bytes);
  entry->set_queue_us(call.times.queue_ns / 1000);
  entry->set_execute_us(call.times.execute_ns / 1000);
  entry->set_peer(call.peer);
  entry->set_code(call.code);
  if (call.name_space != nullptr) entry->set_namespace_(*call.name_space);
  for (const TraceParent& trace : call.operation_traces) {
    v1::OperationTrace* const of_operation = entry->add_operation_traces();
    of_operation->set_trace_id(std::string(trace.trace_id()));
    of_operation->set_span_id(std::string(trace.span_id()));
  }
  if (!call.trace.has_value()) return;
  entry->set_trace_id(std::string(call.trace->trace_id()));
  entry->set_span_id(std::string(call.trace->span_id()));
}

}  // namespace

int64_t AdminHandlers::UptimeMs() const {
  return (std::chrono::steady_clock::now() - start_) / std::chrono::milliseconds(1);
}

absl::Status AdminHandlers::Info(const v1::InfoRequest&, v1::InfoResponse* response) {
  response->set_version(FERRITE_VERSION);
  response->set_uptime_ms(UptimeMs());
  response->set_pid(getpid());
  describe_(response);
  return absl::OkStatus();
}

absl::Status AdminHandlers::Stats(const v1::StatsRequest&, v1::StatsResponse* response) {
  const StoreStats stats = store_.Stats();
  response->set_entries(stats.entries);
  auto& memory = *response->mutable_memory_bytes();
  memory["slots"] = stats.slot_bytes;
  memory["blocks"] = stats.block_bytes + stats.unused_block_bytes;
  memory["table"] = stats.table_bytes;
  memory["eviction"] = stats.eviction_bytes;
  response->set_memory_limit_bytes(stats.limit_bytes);
  response->set_evictions(stats.evictions);
  response->set_expired(stats.expired_on_access + stats.expired_by_sweep);
  const auto count = [this](CacheOutcome outcome) {
    if (count_ != nullptr) return count_(outcome);
    return counters_.Sum([outcome](const ThreadCounters& thread) { return thread.count(outcome); });
  };
  response->set_hits(count(CacheOutcome::kGetHit));
  response->set_misses(count(CacheOutcome::kGetMiss));
  response->set_connections(count_connections_());
  response->set_uptime_ms(UptimeMs());
  if (name_space_ != nullptr) return absl::OkStatus();
  response->set_inflight_requests(counters_.Inflight());
  response->set_slow_calls(slow_calls_.added());
  FillMethodStats(counters_, response);
  for (const v1::MethodStats& method : response->methods()) {
    (*response->mutable_calls_ok())[method.method()] += method.calls_ok();
    (*response->mutable_calls_failed())[method.method()] += method.calls_failed();
  }
  return absl::OkStatus();
}

absl::Status AdminHandlers::SlowLog(const v1::SlowLogRequest& request,
                                    v1::SlowLogResponse* response) {
  if (slow_calls_.threshold().has_value()) {
    response->set_threshold_us(absl::ToInt64Microseconds(*slow_calls_.threshold()));
  }
  response->set_newest_id(slow_calls_.added());
  for (const SlowCall& call :
       slow_calls_.Newest(request.limit(), request.after_id(), name_space_)) {
    FillSlowCall(call, response->add_calls());
  }
  return absl::OkStatus();
}

absl::Status AdminHandlers::ResetSlowLog(const v1::ResetSlowLogRequest&,
                                         v1::ResetSlowLogResponse* response) {
  response->set_forgotten(slow_calls_.Reset());
  return absl::OkStatus();
}

}  // namespace ferrite
