#pragma once

// AdminService, as functions from request to response and status. admin.proto is their contract.

#include "absl/status/status.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "ferrite/v1/admin.pb.h"
#include "server/metrics/thread_counters.h"
#include "server/slowlog/slow_calls.h"
#include "store/store.h"

namespace ferrite {

// Thread-safe.
class AdminHandlers {
 public:
  // All must outlive the handlers. `count_connections` tells how many connections are open now;
  // `describe` fills in what Info tells of settings.
  AdminHandlers(Store* store, const CounterRegistry* counters, SlowCalls* slow_calls,
                std::function<size_t()> count_connections,
                std::function<void(v1::InfoResponse*)> describe)
      : AdminHandlers(store, counters, slow_calls, nullptr, std::move(count_connections)) {
    describe_ = std::move(describe);
  }
  // Of a namespace: Stats and SlowLog tell of nothing else. `count` tells what became of its keys.
  AdminHandlers(Store* store, const CounterRegistry* counters, SlowCalls* slow_calls,
                const std::string* name_space, std::function<size_t()> count_connections,
                std::function<uint64_t(CacheOutcome)> count = nullptr)
      : store_(*store),
        counters_(*counters),
        slow_calls_(*slow_calls),
        name_space_(name_space),
        count_connections_(std::move(count_connections)),
        count_(std::move(count)) {}

  absl::Status Info(const v1::InfoRequest& request, v1::InfoResponse* response);
  absl::Status Stats(const v1::StatsRequest& request, v1::StatsResponse* response);
  absl::Status SlowLog(const v1::SlowLogRequest& request, v1::SlowLogResponse* response);
  absl::Status ResetSlowLog(const v1::ResetSlowLogRequest& request,
                            v1::ResetSlowLogResponse* response);

 private:
  int64_t UptimeMs() const;

  Store& store_;
  const CounterRegistry& counters_;
  SlowCalls& slow_calls_;
  const std::string* const name_space_;  // null: it is about the server
  const std::function<size_t()> count_connections_;
  const std::function<uint64_t(CacheOutcome)> count_;
  std::function<void(v1::InfoResponse*)> describe_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace ferrite
