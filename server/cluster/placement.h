#pragma once

// Which node should own which slot.
//
// Even by slots: the number of slots of two nodes differs by one at most. Fewest moves: no slot
// leaves its owner that does not have to for that. So zones get what their nodes do; they are even
// where they have equally many nodes, and a slot is never moved for the sake of a zone. But of the
// nodes that need slots, those of different zones take turns, so that neighbours in the order of
// slots tend to lie in different zones. Slots stay together where they can: a node gives its
// smallest ranges first, and slots go to the owner of their neighbours if that one needs any, and
// else to one whose need they fill. So a node that leaves and comes back tends to get what it had.

#include <span>
#include <string>
#include <vector>

namespace ferrite::cluster {

struct PlacementNode {
  std::string id;
  std::string zone;
};

// Where a slot has no owner.
inline constexpr int kNoNode = -1;

// The place in `nodes` of the one who should own each slot. `owners` says who owns each slot, or is
// about to; kNoNode: nobody, or one who is not among `nodes`. Both have an entry for each of the
// kSlotCount slots. The same input gives the same output; `nodes` are in the order of their ids,
// which are different. Without nodes, nobody should own anything.
std::vector<int> Place(std::span<const PlacementNode> nodes, std::span<const int> owners);

}  // namespace ferrite::cluster
