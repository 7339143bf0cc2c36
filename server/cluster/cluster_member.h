#pragma once

// This node as a part of its cluster, for whoever asks about it or wants something of it.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/cluster/published_view.h"
#include "server/cluster/serving_right.h"

namespace ferrite::cluster {

// How the node is at this moment.
struct MemberStatus {
  int64_t may_serve_ms = 0;  // without another answer of etcd; 0: it may not serve
  bool registered = false;
  bool controller = false;  // it makes changes of the map
  bool draining = false;
  std::vector<std::string> problems;  // for people
};

struct PlannedMove {
  uint32_t first = 0;
  uint32_t last = 0;  // belongs to it
  std::string from;   // ids of nodes
  std::string to;

  bool operator==(const PlannedMove&) const = default;
};

// Thread-safe.
class ClusterMember {
 public:
  using Listener = std::function<void()>;

  virtual ~ClusterMember() = default;

  virtual const std::string& cluster() const = 0;
  virtual const std::string& node_id() const = 0;
  virtual uint64_t boot_id() const = 0;

  virtual const PublishedView& view() const = 0;
  virtual const ServingRight& right() const = 0;
  virtual MemberStatus status() const = 0;

  // Calls `listener` after each new view, on a thread that it must not hold up. Returns a number by
  // which it is taken out; it is not called any more when RemoveListener has returned, and must not
  // call that itself.
  virtual uint64_t AddListener(Listener listener) = 0;
  virtual void RemoveListener(uint64_t number) = 0;

  // Gives its slots to others, or no longer.
  virtual void Drain(bool undo) = 0;
  // What would move if the numbers of slots were made even now; if not a `dry_run`, it is begun.
  // Ends with UNAVAILABLE if the node does not know enough, FAILED_PRECONDITION if it is not a dry
  // run and another node makes the changes.
  virtual absl::StatusOr<std::vector<PlannedMove>> Rebalance(bool dry_run) = 0;
};

}  // namespace ferrite::cluster
