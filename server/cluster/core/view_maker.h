#pragma once

// Makes the view of the map, of who lives, and of what this node may serve.

#include <memory>
#include <string>

#include "ferrite/internal/v1/cluster_map.pb.h"
#include "server/cluster/core/holdings.h"
#include "server/cluster/core/listing.h"
#include "server/cluster/core/settings.h"
#include "server/cluster/view.h"

namespace ferrite::cluster {

class ViewMaker {
 public:
  explicit ViewMaker(const CoreSettings& settings) : settings_(settings) {}

  // The slots of `map` that this process owns.
  std::vector<Holdings::Owned> OwnedBy(const internal::v1::ClusterMap& map) const;

  // Reconciles the holdings with the map as well. `map` may be null: nobody serves anything.
  std::shared_ptr<const ClusterView> Make(const internal::v1::ClusterMap* map, int64_t epoch,
                                          const Listing& listing, bool may_begin,
                                          Holdings* holdings) const;

 private:
  bool IsSelf(const internal::v1::Member& member) const;

  const CoreSettings& settings_;
};

}  // namespace ferrite::cluster
