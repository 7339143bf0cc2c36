#include "server/cluster/core/view_maker.h"

#include <set>
#include <utility>

namespace ferrite::cluster {

using internal::v1::ClusterMap;
using internal::v1::Member;
using internal::v1::SlotRange;
bool ViewMaker::IsSelf(const Member& member) const {
  return member.node_id() == settings_.self.node_id() &&
         (member.boot_id() == settings_.self.boot_id() || settings_.faults.boot_ignored);
}

std::vector<Holdings::Owned> ViewMaker::OwnedBy(const ClusterMap& map) const {
  std::vector<bool> is_self;
  for (const Member& member : map.members()) is_self.push_back(IsSelf(member));
  std::vector<Holdings::Owned> owned;
  for (const SlotRange& range : map.ranges()) {
    if (!is_self[range.owner()]) continue;
    owned.push_back({.span = {range.first(), range.last()},
                     .since = range.owned_since(),
                     .releasing_since = range.releasing_since()});
  }
  return owned;
}

std::shared_ptr<const ClusterView> ViewMaker::Make(const ClusterMap* map, int64_t epoch,
                                                   const Listing& listing, bool may_begin,
                                                   Holdings* holdings) const {
  if (map == nullptr) return std::make_shared<const ClusterView>();
  ClusterView::Nodes nodes;
  std::set<std::string_view> living_members;
  for (const Member& member : map->members()) {
    if (const ListedNode* living = listing.Living(member.node_id(), member.boot_id())) {
      living_members.insert(member.node_id());
      nodes.push_back(living->node);
    } else {
      auto gone = std::make_shared<ViewNode>();
      gone->id = member.node_id();
      gone->boot_id = member.boot_id();
      nodes.push_back(std::move(gone));
    }
  }
  for (const auto& [id, listed] : listing.nodes) {
    if (nodes.size() == ClusterView::kMaxNodes) break;
    if (listed.node != nullptr && !living_members.contains(id)) nodes.push_back(listed.node);
  }
  const ClusterView::Version version{
      .epoch = epoch, .generation = map->generation(), .cluster_uid = map->cluster_uid()};
  auto view = std::make_shared<ClusterView>(version, std::move(nodes));
  uint16_t self = 0;
  for (const SlotRange& range : map->ranges()) {
    const auto owner = static_cast<uint16_t>(range.owner());
    if (IsSelf(map->members(owner))) self = owner;
    const Route::Place place =
        range.releasing_since() != 0 ? Route::Place::kReleasing : Route::Place::kElsewhere;
    view->Assign(range.first(), range.last(), {place, owner});
    view->SetOwnedSince(range.first(), range.owned_since());
  }
  for (const Holdings::Piece& piece : holdings->Reconcile(OwnedBy(*map), may_begin)) {
    // Whoever takes calls while slots are released has to be told the owner as well.
    const Route before = view->route(piece.span.first);
    if (piece.place != before.place)
      view->Assign(piece.span.first, piece.span.last, {piece.place, self});
  }
  return view;
}

}  // namespace ferrite::cluster
