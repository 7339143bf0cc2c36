#pragma once

// What a core is told when it is made.

#include <cstdint>
#include <string>

#include "ferrite/internal/v1/node_record.pb.h"
#include "server/cluster/cluster_map.h"
#include "server/cluster/core/faults.h"
#include "server/cluster/core/moment.h"

namespace ferrite::cluster {

struct CoreSettings {
  std::string cluster;  // has passed CheckName
  // Who this node is; has passed CheckNodeRecord.
  internal::v1::NodeRecord self;
  // How long the node may serve after it last proved that its node key is there; also the time of
  // its lease. kMinServingTtlMs to kMaxServingTtlMs, whole seconds.
  uint32_t serving_ttl_ms = 10'000;
  // For whatever has to differ from node to node.
  uint64_t random_seed = 0;
  Faults faults;
  // Cores in one process can share what they read: each new map is for all of them.
  MapReader read_map = ParseClusterMap;

  int64_t ttl_ns() const { return serving_ttl_ms * kNsPerMs; }
  // What clocks of different speed may cost: 6 % each, as the others wait for a whole ttl.
  int64_t margin_ns() const { return faults.no_margin ? 0 : ttl_ns() / 8; }
  int64_t renewal_interval_ns() const { return ttl_ns() / 4; }
  int64_t call_timeout_ns() const { return ttl_ns() / 4; }
};

}  // namespace ferrite::cluster
