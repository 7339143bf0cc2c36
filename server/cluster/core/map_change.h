#pragma once

// What the map should become next: a pure function of what is known.
//
// Slots of a node that is gone are given away in one step, by the time that Takeover calls it
// ready. Slots of a node that lives go in two: they are marked as releasing, so that nobody serves
// them who has seen that; and given to another when their owner has acknowledged it. Whatever else
// the map says, also in fields that are not known here, stays.

#include <cstdint>
#include <optional>
#include <vector>

#include "etcd/rpc.pb.h"
#include "ferrite/internal/v1/cluster_map.pb.h"
#include "server/cluster/core/faults.h"
#include "server/cluster/core/listing.h"
#include "server/cluster/core/takeover.h"

namespace ferrite::cluster {

struct MapChange {
  internal::v1::ClusterMap map;
  // Must hold for the change to be made, besides that the map is still the one before.
  std::vector<etcdserverpb::Compare> compares;
  uint32_t slots_given = 0;      // have another owner
  uint32_t slots_releasing = 0;  // begin to be released
};

// The first map: all slots are shared among those of `listing` who want to stay. Absent: there is
// nobody. `tag` is random.
std::optional<MapChange> FirstMap(const Listing& listing, uint64_t cluster_uid, uint64_t floor,
                                  uint64_t tag);

// The successor of `map`; absent if nothing has to change now. `may_move`: whether slots of nodes
// that live and stay may be taken from them, to make the shares even. `tag` is
// random.
std::optional<MapChange> NextMap(const internal::v1::ClusterMap& map, const Listing& listing,
                                 const GoneOwners& gone, bool may_move, uint64_t tag,
                                 const Faults& faults);

}  // namespace ferrite::cluster
