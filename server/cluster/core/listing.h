#pragma once

// What etcd holds of the cluster at one revision.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "ferrite/internal/v1/node_record.pb.h"
#include "server/cluster/view.h"

namespace ferrite::cluster {

// A node key.
struct ListedNode {
  int64_t create_revision = 0;
  int64_t mod_revision = 0;
  // What it says; null: it cannot be read.
  std::shared_ptr<const ViewNode> node;
  uint64_t released_generation = 0;
  uint64_t released_version = 0;
  // How far its wall clock is ahead of this node's, if that is too far; 0: it is not, or not known.
  int64_t clock_ahead_us = 0;
};

struct ListedCeiling {
  int64_t mod_revision = 0;
  // Absent: it cannot be read.
  std::optional<internal::v1::VersionCeiling> value;
};

struct ListedController {
  int64_t create_revision = 0;  // 0: there is none
  uint64_t boot_id = 0;         // 0: it cannot be read
};

struct Listing {
  int64_t revision = 0;   // 0: nothing was listed yet
  int64_t map_epoch = 0;  // 0: there is no map
  std::map<std::string, ListedNode> nodes;
  ListedController controller;
  // Only if they were asked for.
  bool has_ceilings = false;
  std::map<std::string, ListedCeiling> ceilings;

  // The node that lives as this process; null: it does not.
  const ListedNode* Living(const std::string& id, uint64_t boot_id) const {
    const auto found = nodes.find(id);
    if (found == nodes.end() || found->second.node == nullptr ||
        found->second.node->boot_id != boot_id)
      return nullptr;
    return &found->second;
  }
};

// Goes along a listing with the members of a map, which are in the order of their ids, too: in a
// large cluster to search for each of them costs more than all else.
class ListingWalk {
 public:
  explicit ListingWalk(const Listing& listing)
      : next_(listing.nodes.begin()), end_(listing.nodes.end()) {}

  // As Listing::Living(). The ids of calls must not go down.
  const ListedNode* Living(const std::string& id, uint64_t boot_id) {
    while (next_ != end_ && next_->first < id) ++next_;
    const bool lives = next_ != end_ && next_->first == id && next_->second.node != nullptr &&
                       next_->second.node->boot_id == boot_id;
    return lives ? &next_->second : nullptr;
  }

 private:
  std::map<std::string, ListedNode>::const_iterator next_;
  const std::map<std::string, ListedNode>::const_iterator end_;
};

}  // namespace ferrite::cluster
