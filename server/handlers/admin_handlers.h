#pragma once

// AdminService, as functions from request to response and status. admin.proto is their contract.

#include <grpcpp/support/status.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "ferrite/v1/admin.pb.h"
#include "server/metrics/thread_counters.h"
#include "store/store.h"

namespace ferrite {

// Thread-safe.
class AdminHandlers {
 public:
  // All must outlive the handlers. `count_connections` tells how many connections are open now.
  AdminHandlers(Store* store, const CounterRegistry* counters,
                std::function<size_t()> count_connections,
                std::map<std::string, std::string> settings)
      : store_(*store),
        counters_(*counters),
        count_connections_(std::move(count_connections)),
        settings_(std::move(settings)) {}

  grpc::Status Info(const v1::InfoRequest& request, v1::InfoResponse* response);
  grpc::Status Stats(const v1::StatsRequest& request, v1::StatsResponse* response);
  grpc::Status Flush(const v1::FlushRequest& request, v1::FlushResponse* response);

 private:
  Store& store_;
  const CounterRegistry& counters_;
  const std::function<size_t()> count_connections_;
  const std::map<std::string, std::string> settings_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace ferrite
