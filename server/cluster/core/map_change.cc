#include "server/cluster/core/map_change.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/check.h"
#include "proto/slot.h"
#include "server/cluster/cluster_map.h"
#include "server/cluster/placement.h"

namespace ferrite::cluster {
namespace {

using internal::v1::ClusterMap;
using internal::v1::Member;
using internal::v1::SlotRange;

// Those who may come to own slots, in the order of their ids.
struct Candidates {
  std::vector<PlacementNode> nodes;
  std::vector<Process> processes;
  std::map<std::string, int> places;

  explicit Candidates(const Listing& listing) {
    for (const auto& [id, listed] : listing.nodes) {
      if (listed.node == nullptr || listed.node->draining) continue;
      places[id] = static_cast<int>(nodes.size());
      nodes.push_back({id, listed.node->zone});
      processes.push_back({id, listed.node->boot_id});
    }
  }
  int Find(const std::string& id) const {
    const auto found = places.find(id);
    return found == places.end() ? kNoNode : found->second;
  }
};

Process ProcessAt(const ClusterMap& map, uint32_t place) {
  const Member& member = map.members(static_cast<int>(place));
  return {member.node_id(), member.boot_id()};
}

bool SameButSlots(const SlotRange& a, const SlotRange& b) {
  if (a.owner() != b.owner() || a.owned_since() != b.owned_since() ||
      a.releasing_since() != b.releasing_since())
    return false;
  SlotRange copy = a;
  copy.set_first(b.first());
  copy.set_last(b.last());
  return copy.SerializeAsString() == b.SerializeAsString();
}

// A map that is being made from ranges that come in order. Their owners are places in `processes`.
class MapBuilder {
 public:
  explicit MapBuilder(const ClusterMap& before) : before_(before) {
    for (uint32_t place = 0; place < static_cast<uint32_t>(before.members_size()); ++place)
      Place(ProcessAt(before, place));
  }

  uint32_t Place(const Process& process) {
    const auto [found, added] = places_.emplace(process, static_cast<uint32_t>(processes_.size()));
    if (added) processes_.push_back(process);
    return found->second;
  }

  void Append(const SlotRange& range) {
    if (!ranges_.empty() && SameButSlots(ranges_.back(), range)) {
      ranges_.back().set_last(range.last());
    } else {
      ranges_.push_back(range);
    }
  }

  ClusterMap Done() && {
    ClusterMap map = before_;
    map.clear_members();
    map.clear_ranges();
    std::set<Process> named;
    for (const SlotRange& range : ranges_) {
      named.insert(processes_[range.owner()]);
      if (range.has_next_owner()) named.insert(processes_[range.next_owner()]);
    }
    std::map<Process, uint32_t> places;
    for (const Process& process : named) {
      places.emplace(process, static_cast<uint32_t>(places.size()));
      // With the fields that are not known here.
      const uint32_t before = places_.at(process);
      if (before < static_cast<uint32_t>(before_.members_size()))
        *map.add_members() = before_.members(static_cast<int>(before));
      else
        map.add_members()->set_node_id(process.id);
      map.mutable_members()->rbegin()->set_boot_id(process.boot_id);
    }
    for (SlotRange& range : ranges_) {
      range.set_owner(places.at(processes_[range.owner()]));
      if (range.has_next_owner()) range.set_next_owner(places.at(processes_[range.next_owner()]));
      *map.add_ranges() = std::move(range);
    }
    return map;
  }

 private:
  const ClusterMap& before_;
  std::vector<Process> processes_;
  std::map<Process, uint32_t> places_;
  std::vector<SlotRange> ranges_;
};

class NextMapMaker {
 public:
  NextMapMaker(const ClusterMap& map, const Listing& listing, const GoneOwners& gone, bool may_move,
               uint64_t tag, const Faults& faults)
      : map_(map),
        listing_(listing),
        gone_(gone),
        may_move_(may_move),
        tag_(tag),
        faults_(faults),
        candidates_(listing),
        generation_(map.generation() + 1),
        floor_(map.version_floor()),
        builder_(map) {}

  std::optional<MapChange> Make() && {
    if (candidates_.nodes.empty()) return std::nullopt;
    const std::vector<int> targets = Place(candidates_.nodes, Intended());
    for (const SlotRange& range : map_.ranges()) {
      for (uint32_t first = range.first(), last; first <= range.last(); first = last + 1) {
        for (last = first; last < range.last() && targets[last + 1] == targets[first];) ++last;
        SlotRange piece = range;
        piece.set_first(first);
        piece.set_last(last);
        Decide(targets[first], &piece);
        builder_.Append(piece);
      }
    }
    if (!changed_) return std::nullopt;
    change_.map = std::move(builder_).Done();
    change_.map.set_generation(generation_);
    change_.map.set_version_floor(floor_);
    change_.map.clear_recent_tags();
    change_.map.add_recent_tags(tag_);
    for (const uint64_t tag : map_.recent_tags()) {
      if (change_.map.recent_tags_size() < kMaxTags) change_.map.add_recent_tags(tag);
    }
    FERRITE_CHECK(CheckClusterMap(change_.map).ok());
    for (const Process& owner : taken_from_) {
      const auto& compares = gone_.at(owner).compares;
      change_.compares.insert(change_.compares.end(), compares.begin(), compares.end());
    }
    return std::move(change_);
  }

 private:
  // Who has each slot, or is to have it by what has been begun.
  std::vector<int> Intended() const {
    std::vector<int> owners(kSlotCount, kNoNode);
    for (const SlotRange& range : map_.ranges()) {
      int owner = kNoNode;
      if (range.releasing_since() != 0 && range.has_next_owner())
        owner = candidates_.Find(ProcessAt(map_, range.next_owner()).id);
      if (owner == kNoNode) owner = candidates_.Find(ProcessAt(map_, range.owner()).id);
      std::fill(owners.begin() + range.first(), owners.begin() + range.last() + 1, owner);
    }
    return owners;
  }

  void Decide(int target, SlotRange* range) {
    const Process owner = ProcessAt(map_, range->owner());
    const ListedNode* living = listing_.Living(owner.id, owner.boot_id);
    if (living == nullptr) {
      if (const auto gone = gone_.find(owner); gone != gone_.end())
        TakeFromGone(owner, gone->second, target, range);
    } else if (candidates_.processes[target] == owner) {
      Keep(range);
    } else if (range->releasing_since() == 0 && !faults_.release_not_awaited) {
      Release(target, range);
    } else if (living->released_generation >= range->releasing_since()) {
      Raise(living->released_version);
      Give(target, range);
    }
  }

  void TakeFromGone(const Process& owner, const GoneOwner& gone, int target, SlotRange* range) {
    taken_from_.insert(owner);
    if (!faults_.ceiling_ignored) Raise(gone.floor);
    Give(target, range);
  }

  void Keep(SlotRange* range) {
    if (range->releasing_since() == 0) return;
    range->clear_releasing_since();
    range->clear_next_owner();
    changed_ = true;
  }

  void Release(int target, SlotRange* range) {
    if (!may_move_) return;
    range->set_releasing_since(generation_);
    range->set_next_owner(builder_.Place(candidates_.processes[target]));
    change_.slots_releasing += range->last() - range->first() + 1;
    changed_ = true;
  }

  void Give(int target, SlotRange* range) {
    range->set_owner(builder_.Place(candidates_.processes[target]));
    range->set_owned_since(generation_);
    range->clear_releasing_since();
    range->clear_next_owner();
    change_.slots_given += range->last() - range->first() + 1;
    changed_ = true;
  }

  void Raise(uint64_t floor) { floor_ = std::max(floor_, floor); }

  const ClusterMap& map_;
  const Listing& listing_;
  const GoneOwners& gone_;
  const bool may_move_;
  const uint64_t tag_;
  const Faults& faults_;
  const Candidates candidates_;
  const uint64_t generation_;
  uint64_t floor_;
  MapBuilder builder_;
  MapChange change_;
  bool changed_ = false;
  std::set<Process> taken_from_;
};

}  // namespace

std::optional<MapChange> FirstMap(const Listing& listing, uint64_t cluster_uid, uint64_t floor,
                                  uint64_t tag) {
  const Candidates candidates(listing);
  if (candidates.nodes.empty()) return std::nullopt;
  const std::vector<int> owners = Place(candidates.nodes, std::vector<int>(kSlotCount, kNoNode));
  ClusterMap empty;
  MapBuilder builder(empty);
  for (uint32_t first = 0, last; first < kSlotCount; first = last + 1) {
    for (last = first; last + 1 < kSlotCount && owners[last + 1] == owners[first];) ++last;
    SlotRange range;
    range.set_first(first);
    range.set_last(last);
    range.set_owner(builder.Place(candidates.processes[owners[first]]));
    range.set_owned_since(1);
    builder.Append(range);
  }
  MapChange change{.map = std::move(builder).Done(), .slots_given = kSlotCount};
  change.map.set_format(kMapFormat);
  change.map.set_cluster_uid(cluster_uid);
  change.map.set_generation(1);
  change.map.set_version_floor(floor);
  change.map.add_recent_tags(tag);
  FERRITE_CHECK(CheckClusterMap(change.map).ok());
  return change;
}

std::optional<MapChange> NextMap(const ClusterMap& map, const Listing& listing,
                                 const GoneOwners& gone, bool may_move, uint64_t tag,
                                 const Faults& faults) {
  return NextMapMaker(map, listing, gone, may_move, tag, faults).Make();
}

}  // namespace ferrite::cluster
