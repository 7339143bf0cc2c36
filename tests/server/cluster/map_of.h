#pragma once

// Maps for tests, in short.

#include <cstdint>
#include <string>
#include <vector>

#include "ferrite/internal/v1/cluster_map.pb.h"

namespace ferrite::cluster {

// Format 1, uid 77, generation 9, no floor, and members a, b, ... with boot ids 1, 2, ...: as many
// as `owners` names. The slots are cut into as many ranges of equal length as there are `owners`,
// which are places in members, and have been theirs since generation 1.
inline internal::v1::ClusterMap MapOf(const std::vector<uint32_t>& owners) {
  internal::v1::ClusterMap map;
  map.set_format(1);
  map.set_cluster_uid(77);
  map.set_generation(9);
  map.add_recent_tags(0xf00d);
  const auto count = static_cast<uint32_t>(owners.size());
  for (uint32_t range = 0; range < count; ++range) {
    auto& made = *map.add_ranges();
    made.set_first(16384 * range / count);
    made.set_last(16384 * (range + 1) / count - 1);
    made.set_owner(owners[range]);
    made.set_owned_since(1);
    while (map.members_size() <= static_cast<int>(owners[range])) {
      auto& member = *map.add_members();
      member.set_node_id(std::string(1, static_cast<char>('a' + map.members_size() - 1)));
      member.set_boot_id(static_cast<uint64_t>(map.members_size()));
    }
  }
  return map;
}

}  // namespace ferrite::cluster
