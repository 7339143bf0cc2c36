#pragma once

// A scan of what this node serves.

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ferrite/v1/cache.pb.h"
#include "server/handlers/scan_handler.h"
#include "server/routing/thread_routing.h"

namespace ferrite {

// Used on one thread. Both pointers must outlive it.
class LocalScan {
 public:
  // `mark`: what the one who asks expects the share of this node to be (NodeShare). If it is
  // another one, one of the two does not know of an owner, whose keys would be missed.
  LocalScan(Store* store, ThreadRouting* here, std::optional<uint64_t> mark = std::nullopt)
      : store_(*store), here_(*here), mark_(mark) {}

  // Begins as `request` says. INVALID_ARGUMENT if its cursor is not one of this node.
  absl::Status Begin(const v1::ScanRequest& request);

  // Fills in the next message, without entries of slots that are not served here; false if there is
  // none left. Fails if the node may not serve, or its share is not the one that is expected:
  // UNAVAILABLE (SLOT_IN_TRANSITION).
  absl::StatusOr<bool> Next(v1::ScanResponse* response);

 private:
  absl::Status Check();
  absl::StatusOr<bool> Read(v1::ScanResponse* response);

  Store& store_;
  ThreadRouting& here_;
  const std::optional<uint64_t> mark_;
  uint64_t views_ = UINT64_MAX;  // how many there were when the share was looked at
  v1::ScanRequest request_;
  uint64_t left_ = 0;
  std::unique_ptr<ScanSource> source_;
};

}  // namespace ferrite
