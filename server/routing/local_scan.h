#pragma once

// A scan of what this node serves.

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ferrite/v1/cache.pb.h"
#include "server/handlers/scan_handler.h"
#include "server/routing/thread_routing.h"

namespace ferrite {

// Used on one thread. Both pointers must outlive it.
class LocalScan {
 public:
  LocalScan(Store* store, ThreadRouting* here) : store_(*store), here_(*here) {}

  // Begins as `request` says. INVALID_ARGUMENT if its cursor is not one of this node.
  absl::Status Begin(const v1::ScanRequest& request);

  // Fills in the next message, without entries of slots that are not served here; false if there is
  // none left. Fails if the node may not serve.
  absl::StatusOr<bool> Next(v1::ScanResponse* response);

 private:
  Store& store_;
  ThreadRouting& here_;
  v1::ScanRequest request_;
  uint64_t left_ = 0;
  std::unique_ptr<ScanSource> source_;
};

}  // namespace ferrite
