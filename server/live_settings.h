#pragma once

// The settings of a server that runs: what they are, and changes to those that need no restart.
// AdminService's GetConfig and SetConfig (admin.proto).

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "ferrite/v1/admin.pb.h"
#include "server/settings/settings.h"

namespace ferrite {

// Thread-safe.
class LiveSettings {
 public:
  // How a change takes effect. Called one after the other, on the thread of the call.
  struct Effects {
    std::function<void(uint64_t bytes)> max_memory;
    std::function<void(std::optional<absl::Duration> threshold)> slowlog_threshold;
    std::function<void(const std::string& level)> log_level;
  };

  // `least_memory_bytes` tells what max-memory must at least be by now, for the store as it is.
  LiveSettings(const Settings& settings, std::function<uint64_t()> least_memory_bytes,
               Effects effects)
      : effects_(std::move(effects)),
        least_memory_bytes_(std::move(least_memory_bytes)),
        settings_(settings) {}

  absl::Status GetConfig(const v1::GetConfigRequest& request, v1::GetConfigResponse* response);
  // Checks the new value as if the server started with it, and the memory as the store needs it. A
  // change is logged, and is gone with the process.
  absl::Status SetConfig(const v1::SetConfigRequest& request, v1::SetConfigResponse* response);

  // What Info tells of them.
  void Describe(v1::InfoResponse* response) const;
  // A copy of what holds now.
  Settings Now() const;
  // There are descriptors for so many connections only. Warns if more were asked for.
  void LimitConnections(size_t connections);
  // The store has made so many shards.
  void TellShards(size_t shards);
  // How often a setting that may change was changed.
  std::map<std::string, uint64_t> Changes() const;

 private:
  absl::Status CheckMemory(uint64_t bytes) const;
  void TakeEffect(std::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Effects effects_;
  const std::function<uint64_t()> least_memory_bytes_;
  mutable Mutex mutex_;
  Settings settings_ ABSL_GUARDED_BY(mutex_);
  std::optional<size_t> most_connections_ ABSL_GUARDED_BY(mutex_);
  std::optional<size_t> shards_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, uint64_t> changes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
