#include "server/cluster/core/view_maker.h"

#include <utility>

namespace ferrite::cluster {

using internal::v1::ClusterMap;
using internal::v1::Member;
using internal::v1::SlotRange;
namespace {

// The members of the map, and then who else lives.
ClusterView::Nodes NodesOf(const ClusterMap& map, const Listing& listing) {
  ClusterView::Nodes nodes;
  nodes.reserve(listing.nodes.size() + static_cast<size_t>(map.members_size()));
  std::vector<const ListedNode*> members;  // that live, in the order of the listing
  ListingWalk walk(listing);
  for (const Member& member : map.members()) {
    if (const ListedNode* living = walk.Living(member.node_id(), member.boot_id())) {
      members.push_back(living);
      nodes.push_back(living->node);
    } else {
      auto gone = std::make_shared<ViewNode>();
      gone->id = member.node_id();
      gone->boot_id = member.boot_id();
      nodes.push_back(std::move(gone));
    }
  }
  auto member = members.begin();
  for (const auto& [id, listed] : listing.nodes) {
    if (nodes.size() == ClusterView::kMaxNodes) break;
    if (member != members.end() && *member == &listed) {
      ++member;
    } else if (listed.node != nullptr) {
      nodes.push_back(listed.node);
    }
  }
  return nodes;
}

}  // namespace

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
  ClusterView::Nodes nodes = NodesOf(*map, listing);
  const ClusterView::Version version{
      .epoch = epoch, .generation = map->generation(), .cluster_uid = map->cluster_uid()};
  auto view = std::make_shared<ClusterView>(version, std::move(nodes));
  for (const SlotRange& range : map->ranges()) {
    const auto owner = static_cast<uint16_t>(range.owner());
    const Route::Place place =
        range.releasing_since() != 0 ? Route::Place::kReleasing : Route::Place::kElsewhere;
    view->Assign(range.first(), range.last(), {place, owner});
    view->SetOwnedSince(range.first(), range.owned_since());
  }
  for (const Holdings::Piece& piece : holdings->Reconcile(OwnedBy(*map), may_begin)) {
    // Whoever takes calls while slots are released has to be told the owner as well.
    const Route before = view->route(piece.span.first);
    if (piece.place != before.place)
      view->Assign(piece.span.first, piece.span.last, {piece.place, before.node});
  }
  return view;
}

}  // namespace ferrite::cluster
