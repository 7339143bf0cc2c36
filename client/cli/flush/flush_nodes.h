#pragma once

// Deletes every entry of many nodes, several of which work at a time.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "client/cli/cluster/living_nodes.h"
#include "client/cli/flush/flush_node.h"

namespace ferrite::cli {

struct FlushedNode {
  std::string name;
  absl::StatusOr<uint64_t> deleted;
};

class NodesFlush {
 public:
  NodesFlush(std::vector<LivingNode> nodes, Credentials credentials, absl::Duration timeout)
      : nodes_(std::move(nodes)),
        credentials_(std::move(credentials)),
        timeout_(timeout),
        shares_(nodes_.size()) {}

  // Goes on with the others if a node fails. On the calling thread, `done` hears of each node as it
  // ends, and `progress` of what all of them have done so far.
  void Run(const std::function<void(const FlushedNode&)>& done, const FlushListener& progress);

 private:
  struct Share {
    uint64_t deleted = 0;
    double done_fraction = 0;
  };

  // Flushes one node after the other until none is left.
  void Work();
  Share Sum() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::vector<LivingNode> nodes_;
  const Credentials credentials_;
  const absl::Duration timeout_;
  Mutex mutex_;
  Condition changed_;
  size_t begun_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<Share> shares_ ABSL_GUARDED_BY(mutex_);       // of each node
  std::vector<FlushedNode> ended_ ABSL_GUARDED_BY(mutex_);  // that were not told yet
};

}  // namespace ferrite::cli
