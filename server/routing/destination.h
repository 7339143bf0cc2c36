#pragma once

// Where a call for a slot goes, as a pure function of the view, and why it does not where it does
// not.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "server/cluster/view.h"

namespace ferrite {

enum class Way : uint8_t {
  kServe,         // here
  kForward,       // to the node of the route
  kMoved,         // the same, but the caller wants to know, or it was forwarded already
  kInTransition,  // the slot changes its owner
  kUnowned,       // it has none
  kLeaseLost,     // it is here, but may not be served
  kOwnerGone,     // its owner is not there, and the map still names it
};

// `may_serve`: this node has the right to (ServingRight). `may_forward`: the call may be forwarded.
Way WayOf(const cluster::ClusterView& view, cluster::Route route, bool may_serve, bool may_forward);

// Why a call for `slot` is not executed; not for kServe and kForward.
absl::Status NotServed(Way way, const cluster::ClusterView& view, uint32_t slot);

// The same where something may have been done: the right to serve ended before the answer was out,
// or the slot has become another's.
absl::Status Lapsed(const cluster::ClusterView& view, uint32_t slot);

// The node could not be reached, for that cause, or is not any more. `sent`: what was to be
// executed there may have been.
absl::Status PeerUnreachable(const std::string& node, const std::string& address,
                             const absl::Status& cause, bool sent);

}  // namespace ferrite
