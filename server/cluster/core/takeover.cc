#include "server/cluster/core/takeover.h"

#include <algorithm>

#include "server/cluster/core/ceiling.h"
#include "server/cluster/core/txn.h"
#include "server/cluster/node_record.h"

namespace ferrite::cluster {

using internal::v1::ClusterMap;
using internal::v1::SlotRange;

namespace {

// Above what a node can have given whose ceiling is not known: as far as clocks may differ.
constexpr uint64_t kUnknownAheadUs = 3600 * kUsPerSecond;

const ListedCeiling* CeilingOf(const Listing& listing, const std::string& id) {
  const auto found = listing.ceilings.find(id);
  return found == listing.ceilings.end() ? nullptr : &found->second;
}

}  // namespace

void Takeover::Observe(const ClusterMap& map, const Listing& listing, const Moment& now) {
  std::map<Process, Wait> waits;
  std::map<std::string, int64_t> lacks_ceiling;
  without_ceiling_.clear();
  for (const SlotRange& range : map.ranges()) {
    const auto& member = map.members(static_cast<int>(range.owner()));
    Process owner{member.node_id(), member.boot_id()};
    if (waits.contains(owner)) continue;
    const auto node = listing.nodes.find(owner.id);
    const bool present = node != listing.nodes.end();
    // Whose record cannot be read may live.
    if (present && (node->second.node == nullptr || node->second.node->boot_id == owner.boot_id))
      continue;
    const ListedCeiling* ceiling = CeilingOf(listing, owner.id);
    if (ceiling == nullptr || !ceiling->value) {
      const int64_t revision = ceiling == nullptr ? 0 : ceiling->mod_revision;
      const auto lacked = lacked_ceiling_.find(owner.id);
      if (lacked != lacked_ceiling_.end() && lacked->second == revision &&
          without_ceiling_.size() < kMaxOwners)
        without_ceiling_.push_back(owner.id);
      lacks_ceiling[owner.id] = revision;
      continue;
    }
    Wait wait{.since_ns = now.steady_ns,
              .ttl_ns = ceiling->value->serving_ttl_ms() * kNsPerMs,
              .node_revision = present ? node->second.mod_revision : 0,
              .ceiling_revision = present ? 0 : ceiling->mod_revision};
    const auto before = waits_.find(owner);
    if (before != waits_.end() && (settings_.faults.return_unnoticed ||
                                   (before->second.node_revision == wait.node_revision &&
                                    before->second.ceiling_revision == wait.ceiling_revision)))
      wait.since_ns = before->second.since_ns;
    waits.emplace(std::move(owner), wait);
  }
  waits_ = std::move(waits);
  lacked_ceiling_ = std::move(lacks_ceiling);
}

etcdserverpb::TxnRequest Takeover::WriteCeilings(const Listing& listing, uint64_t cluster_uid,
                                                 const Moment& now) const {
  internal::v1::VersionCeiling ceiling;
  auto highest = static_cast<uint64_t>(std::max<int64_t>(now.wall_us, 0));
  for (const auto& [id, other] : listing.ceilings) {
    if (other.value) highest = std::max(highest, other.value->ceiling());
  }
  ceiling.set_ceiling(std::min(highest + kUnknownAheadUs, kMaxVersion));
  ceiling.set_serving_ttl_ms(kMaxServingTtlMs);
  ceiling.set_cluster_uid(cluster_uid);
  etcdserverpb::TxnRequest request;
  for (const std::string& id : without_ceiling_) {
    const ListedCeiling* unreadable = CeilingOf(listing, id);
    *request.add_compare() =
        ModifiedAt(keys_.Ceiling(id), unreadable == nullptr ? 0 : unreadable->mod_revision);
    *request.add_success() = Put(keys_.Ceiling(id), ceiling.SerializeAsString());
  }
  return request;
}

GoneOwners Takeover::Ready(const Listing& listing, const Moment& now) const {
  GoneOwners ready;
  for (const auto& [owner, wait] : waits_) {
    if (now.steady_ns - wait.since_ns < wait.ttl_ns && !settings_.faults.no_wait) continue;
    const ListedCeiling* ceiling = CeilingOf(listing, owner.id);
    if (ceiling == nullptr || !ceiling->value) continue;
    GoneOwner& gone = ready[owner];
    gone.floor = ceiling->value->ceiling() + Ceiling::kGapAfterCrashUs;
    if (!settings_.faults.compare_left_out) {
      gone.compares.push_back(ModifiedAt(keys_.Node(owner.id), wait.node_revision));
      if (wait.node_revision == 0 && !settings_.faults.return_unnoticed)
        gone.compares.push_back(ModifiedAt(keys_.Ceiling(owner.id), wait.ceiling_revision));
    }
    if (ready.size() == kMaxOwners) break;
  }
  return ready;
}

int64_t Takeover::next_end_ns(const Moment& now) const {
  int64_t next = kNever;
  for (const auto& [owner, wait] : waits_) {
    const int64_t end = wait.since_ns + wait.ttl_ns;
    if (end > now.steady_ns) next = std::min(next, end);
  }
  return next;
}

}  // namespace ferrite::cluster
