#include "server/handlers/admin_handlers.h"

#include <unistd.h>

namespace ferrite {

grpc::Status AdminHandlers::Info(const v1::InfoRequest&, v1::InfoResponse* response) {
  const auto uptime = std::chrono::steady_clock::now() - start_;
  response->set_version(FERRITE_VERSION);
  response->set_uptime_ms(std::chrono::duration_cast<std::chrono::milliseconds>(uptime).count());
  response->set_pid(getpid());
  for (const auto& [name, value] : settings_) (*response->mutable_settings())[name] = value;
  return grpc::Status::OK;
}

grpc::Status AdminHandlers::Stats(const v1::StatsRequest&, v1::StatsResponse* response) {
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
    return counters_.Sum([outcome](const ThreadCounters& thread) { return thread.count(outcome); });
  };
  response->set_hits(count(CacheOutcome::kGetHit));
  response->set_misses(count(CacheOutcome::kGetMiss));
  response->set_inflight_requests(counters_.Inflight());
  response->set_connections(count_connections_());
  for (size_t i = 0; i < kMethodCount; ++i) {
    const auto method = static_cast<Method>(i);
    const std::string name(kMethodNames[i].method);
    const auto handled = [&](size_t begin, size_t end) {
      return counters_.Sum([=](const ThreadCounters& thread) {
        uint64_t sum = 0;
        for (size_t code = begin; code < end; ++code) {
          sum += thread.of(method).handled[code].load(std::memory_order_relaxed);
        }
        return sum;
      });
    };
    (*response->mutable_calls_ok())[name] = handled(grpc::StatusCode::OK, grpc::StatusCode::OK + 1);
    (*response->mutable_calls_failed())[name] = handled(grpc::StatusCode::OK + 1, kStatusCodeCount);
  }
  return grpc::Status::OK;
}

grpc::Status AdminHandlers::Flush(const v1::FlushRequest&, v1::FlushResponse* response) {
  response->set_deleted(store_.Flush());
  return grpc::Status::OK;
}

}  // namespace ferrite
