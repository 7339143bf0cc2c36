#pragma once

// Waits for owners of slots that are gone to have lost their right to serve.
//
// The wait lasts for what the owner may serve after its last renewal, from when the answer came
// that showed it gone. So that it cannot have been back in between, the transaction that gives its
// slots away compares: its node key is still not there, and its ceiling, which every registration
// writes, is as it was; or the node key is still what the other process wrote that has it since.

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "etcd/rpc.pb.h"
#include "ferrite/internal/v1/cluster_map.pb.h"
#include "server/cluster/core/listing.h"
#include "server/cluster/core/settings.h"
#include "server/cluster/keys.h"

namespace ferrite::cluster {

// A process, as the map names it.
struct Process {
  std::string id;
  uint64_t boot_id = 0;
  auto operator<=>(const Process&) const = default;
};

// One that is gone, and cannot serve any more if what is to be compared holds.
struct GoneOwner {
  std::vector<etcdserverpb::Compare> compares;
  // Above all versions that it can have given.
  uint64_t floor = 0;
};
using GoneOwners = std::map<Process, GoneOwner>;

class Takeover {
 public:
  // As many at once as a transaction has room for, which may compare 128 times.
  static constexpr size_t kMaxOwners = 50;

  Takeover(const CoreSettings& settings, const Keys& keys) : settings_(settings), keys_(keys) {}

  // Looks at a listing with ceilings, whose answer came now, and a map that it goes with. It may
  // miss any number of listings in between.
  void Observe(const internal::v1::ClusterMap& map, const Listing& listing, const Moment& now);

  // At most kMaxOwners of those who are gone for long enough.
  GoneOwners Ready(const Listing& listing, const Moment& now) const;
  // When the next wait ends; kNever: there is none.
  int64_t next_end_ns(const Moment& now) const;
  // Nodes that are gone and had no ceiling that could be read, twice in a row. Nobody waits for
  // them until one is written for them: it is what tells whether they were back.
  const std::vector<std::string>& without_ceiling() const { return without_ceiling_; }
  // Writes ceilings for them, as high and as long as they can have been.
  etcdserverpb::TxnRequest WriteCeilings(const Listing& listing, uint64_t cluster_uid,
                                         const Moment& now) const;

 private:
  struct Wait {
    int64_t since_ns;
    int64_t ttl_ns;
    // What must not change meanwhile.
    int64_t node_revision;     // 0: the node key is not there
    int64_t ceiling_revision;  // means something only then
  };

  const CoreSettings& settings_;
  const Keys& keys_;
  std::map<Process, Wait> waits_;
  std::vector<std::string> without_ceiling_;
  std::map<std::string, int64_t> lacked_ceiling_;  // in the listing before; and the key's revision
};

}  // namespace ferrite::cluster
