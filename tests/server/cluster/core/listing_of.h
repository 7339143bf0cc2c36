#pragma once

// Listings for tests, in short.

#include <cstdint>
#include <memory>
#include <string>

#include "server/cluster/core/listing.h"

namespace ferrite::cluster {

// Adds a node that lives, and its ceiling.
inline ListedNode& AddNode(Listing* listing, const std::string& id, uint64_t boot_id,
                           int64_t mod_revision = 10, bool draining = false) {
  auto node = std::make_shared<ViewNode>();
  node->id = id;
  node->boot_id = boot_id;
  node->address = id + ":1";
  node->draining = draining;
  listing->nodes[id] = {
      .create_revision = mod_revision, .mod_revision = mod_revision, .node = std::move(node)};
  return listing->nodes[id];
}

inline void AddCeiling(Listing* listing, const std::string& id, uint64_t ceiling,
                       int64_t mod_revision = 10) {
  listing->has_ceilings = true;
  internal::v1::VersionCeiling value;
  value.set_ceiling(ceiling);
  value.set_serving_ttl_ms(5000);
  value.set_cluster_uid(77);
  listing->ceilings[id] = {.mod_revision = mod_revision, .value = value};
}

}  // namespace ferrite::cluster
