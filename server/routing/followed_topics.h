#pragma once

// What a subscription follows, and at which nodes of a cluster: a channel or a key at the owner of
// its slot, globs and prefixes at every node that serves a slot.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ferrite/v1/cache.pb.h"
#include "server/cluster/view.h"
#include "server/routing/destination.h"
#include "server/routing/node_shares.h"

namespace ferrite {

// What is followed at one node.
struct NodePlan {
  std::string id;
  std::shared_ptr<const cluster::ViewNode> node;
  bool here = false;
  NodeShare share;            // what of its slots is followed
  std::vector<int> channels;  // places in the request
  std::vector<int> keys;
  // If the subscription has probes: a channel of that node, unless it is the one that has them.
  std::string marker;

  // Whether a stream by the other plan is one by this plan.
  bool SameAs(const NodePlan& other) const;
};

struct SubscriptionPlan {
  uint64_t generation = 0;
  std::vector<NodePlan> nodes;  // by id
  // The first slot that is followed and that nobody serves, and why; kSlotCount: there is none.
  uint32_t unserved = 0;
  Way why = Way::kServe;

  bool whole() const { return unserved == kSlotCount; }
};

// Immutable, and thread-safe.
class FollowedTopics {
 public:
  explicit FollowedTopics(v1::SubscribeRequest request);

  // Whether all nodes are followed.
  bool everywhere() const { return everywhere_; }
  const v1::SubscribeRequest& request() const { return request_; }

  // `shares` is of that view.
  SubscriptionPlan PlanFor(const cluster::ClusterView& view, const NodeShares& shares) const;
  // What to ask a node for, without a token.
  v1::SubscribeRequest RequestTo(const NodePlan& node) const;

  // The share of what is followed that this node serves, with the mark that another node expects if
  // it sees the same.
  NodeShare ShareHere(const cluster::ClusterView& view, const NodeShares& shares) const;
  // Those of channels and keys.
  const std::vector<uint32_t>& slots() const { return slots_; }
  // For a text: one of them.
  uint32_t any_slot() const { return slots_.empty() ? 0 : slots_.front(); }

 private:
  v1::SubscribeRequest request_;
  std::vector<uint32_t> slots_;  // of the channels, then of the keys
  const bool everywhere_;
};

}  // namespace ferrite
