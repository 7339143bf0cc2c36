#include "server/handlers/topology.h"

#include <string>

#include "proto/slot.h"

namespace ferrite {
namespace {

using cluster::Route;

v1::SlotState StateOf(Route::Place place) {
  switch (place) {
    case Route::Place::kReleasing:
      return v1::SLOT_STATE_RELEASING;
    case Route::Place::kPreparing:
      return v1::SLOT_STATE_PREPARING;
    default:
      return v1::SLOT_STATE_SERVED;
  }
}

}  // namespace

void DescribeView(const cluster::ClusterView& view, v1::Topology* topology) {
  topology->set_cluster_uid(view.version().cluster_uid);
  topology->set_epoch(view.version().epoch);
  for (const auto& node : view.nodes()) {
    v1::TopologyNode* const told = topology->add_nodes();
    told->set_node_id(node->id);
    told->set_boot_id(node->boot_id);
    told->set_address(node->address);
    told->set_zone(node->zone);
    told->set_version(node->version);
    told->set_draining(node->draining);
  }
  for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
    const Route route = view.route(slot);
    if (route.place == Route::Place::kNobody) continue;
    v1::TopologyNode* const node = topology->mutable_nodes(route.node);
    node->set_slots_owned(node->slots_owned() + 1);
    const int last = topology->slots_size() - 1;
    v1::TopologySlots* slots = last < 0 ? nullptr : topology->mutable_slots(last);
    const v1::SlotState state = StateOf(route.place);
    if (slots == nullptr || slots->last() + 1 != slot || slots->owner() != route.node ||
        slots->state() != state) {
      slots = topology->add_slots();
      slots->set_first(slot);
      slots->set_owner(route.node);
      slots->set_state(state);
    }
    slots->set_last(slot);
  }
}

void DescribeLoneNode(std::string_view version, v1::Topology* topology) {
  v1::TopologyNode* const node = topology->add_nodes();
  node->set_version(std::string(version));
  node->set_slots_owned(kSlotCount);
  v1::TopologySlots* const slots = topology->add_slots();
  slots->set_last(kSlotCount - 1);
  slots->set_state(v1::SLOT_STATE_SERVED);
}

}  // namespace ferrite
