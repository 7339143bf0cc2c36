#include "server/routing/node_shares.h"

#include <algorithm>

namespace ferrite {
namespace {

using cluster::Route;

// As splitmix64 mixes. All nodes have to do it alike.
uint64_t Mix(uint64_t number) {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
  number = (number ^ number >> 27) * 0x94d049bb133111eb;
  return number ^ number >> 31;
}

}  // namespace

void NodeShare::Add(uint32_t slot, uint64_t owned_since) {
  ++slots;
  newest = std::max(newest, owned_since);
  mark += Mix(owned_since * kSlotCount + slot);
}

NodeShares SharesOf(const cluster::ClusterView& view) {
  NodeShares shares;
  shares.elsewhere.resize(view.nodes().size());
  shares.unserved = kSlotCount;
  for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
    const Route route = view.route(slot);
    const uint64_t since = view.owned_since(slot);
    if (route.place == Route::Place::kHere) {
      shares.here.Add(slot, since);
      shares.here_node = route.node;
    } else if (route.place == Route::Place::kElsewhere &&
               !view.nodes()[route.node]->address.empty()) {
      shares.elsewhere[route.node].Add(slot, since);
    } else {
      shares.unserved = std::min(shares.unserved, slot);
    }
  }
  return shares;
}

}  // namespace ferrite
