#pragma once

// Who serves which slots, as numbers that two nodes can compare: a node that passes on what another
// one tells proves with a mark that both see the same slots there, owned since the same change.

#include <cstdint>
#include <vector>

#include "server/cluster/view.h"

namespace ferrite {

// The slots that one node serves.
struct NodeShare {
  uint32_t slots = 0;
  uint64_t newest = 0;  // the generation in which it got the last of them
  uint64_t mark = 0;    // of these slots, in any order

  void Add(uint32_t slot, uint64_t owned_since);
};

struct NodeShares {
  NodeShare here;
  uint16_t here_node = 0;            // this node's place, if it serves any
  std::vector<NodeShare> elsewhere;  // by their places in ClusterView::nodes()
  // The first slot that nobody serves, or a node that does not live; kSlotCount: there is none.
  uint32_t unserved = 0;
};

// Takes some ten microseconds.
NodeShares SharesOf(const cluster::ClusterView& view);

}  // namespace ferrite
