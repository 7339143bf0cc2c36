#pragma once

// What a node knows of its cluster, as calls see it: who serves which slot.

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "proto/slot.h"

namespace ferrite::cluster {

// A node, as others have to know it. Immutable once it is in a view.
struct ViewNode {
  std::string id;
  uint64_t boot_id = 0;
  // Empty if its record is gone: it owns slots, but does not live.
  std::string address;
  std::string internal_address;  // for other nodes; never empty if `address` is not
  std::string zone;
  std::string version;
  bool draining = false;

  bool operator==(const ViewNode&) const = default;
};

// Where calls for a slot go.
struct Route {
  enum class Place : uint8_t {
    kNobody,     // no node; there is no map yet
    kElsewhere,  // to `node`
    kReleasing,  // nowhere for a moment: `node` gives the slot to another
    kPreparing,  // nowhere for a moment: this node owns the slot, but is not ready to serve it
    kHere,       // to this node, as long as it has the right to serve (serving_right.h)
  };

  Place place = Place::kNobody;
  uint16_t node = 0;  // in ClusterView::nodes(); means nothing with kNobody

  bool operator==(const Route&) const = default;
};

// Built by one thread, then shared as const, and thread-safe.
class ClusterView {
 public:
  struct Version {
    int64_t epoch = 0;        // etcd's mod_revision of the map's key; 0: there is no map
    uint64_t generation = 0;  // the map's own count of its changes
    uint64_t cluster_uid = 0;
  };
  using Nodes = std::vector<std::shared_ptr<const ViewNode>>;
  static constexpr int kMaxNodes = 1 << 13;

  // Nobody serves anything.
  ClusterView() : ClusterView({}, {}) {}
  // Those of the map come first, in its order. At most kMaxNodes.
  ClusterView(const Version& version, Nodes nodes) : version_(version), nodes_(std::move(nodes)) {
    FERRITE_CHECK(nodes_.size() <= kMaxNodes);
  }

  void Assign(uint32_t first, uint32_t last, Route route) {
    FERRITE_CHECK(first <= last && last < kSlotCount);
    const auto cell = static_cast<uint16_t>(static_cast<uint16_t>(route.place) << 13 | route.node);
    for (uint32_t slot = first; slot <= last; ++slot) cells_[slot] = cell;
  }

  // Of slots after those of the call before.
  void SetOwnedSince(uint32_t first, uint64_t generation) {
    if (owned_since_.empty() || owned_since_.back().generation != generation)
      owned_since_.push_back({first, generation});
  }

  // The generation of the map in which the slot got its owner; 0 if that was not told.
  uint64_t owned_since(uint32_t slot) const {
    const auto after =
        std::upper_bound(owned_since_.begin(), owned_since_.end(), slot,
                         [](uint32_t at, const Since& since) { return at < since.first; });
    return after == owned_since_.begin() ? 0 : std::prev(after)->generation;
  }

  // One load; `slot` is below kSlotCount.
  Route route(uint32_t slot) const {
    const uint16_t cell = cells_[slot];
    return {static_cast<Route::Place>(cell >> 13), static_cast<uint16_t>(cell & (kMaxNodes - 1))};
  }

  const Version& version() const { return version_; }
  const Nodes& nodes() const { return nodes_; }

 private:
  // Of the slots from `first` on, up to those of the next one.
  struct Since {
    uint32_t first;
    uint64_t generation;
  };

  Version version_;
  Nodes nodes_;
  std::vector<Since> owned_since_;
  std::array<uint16_t, kSlotCount> cells_{};  // the place in 3 bits, the node in 13
};

}  // namespace ferrite::cluster
