#include "server/cluster_part.h"

#include <bitset>
#include <utility>

#include "proto/slot.h"
#include "store/drop_walk.h"

namespace ferrite {
namespace {

cluster::StoreEffects EffectsOn(Store* store, StepBarrier::PostToAll post_to_all) {
  auto barrier = std::make_shared<StepBarrier>(std::move(post_to_all));
  cluster::StoreEffects effects;
  effects.raise_version_floor = [store](uint64_t version) { store->RaiseVersionFloor(version); };
  effects.set_version_ceiling = [store](uint64_t version) { store->SetVersionCeiling(version); };
  effects.older_calls_are_done = [barrier](uint64_t view_count) {
    return barrier->HasPassed(view_count);
  };
  effects.drop = [store](const std::vector<cluster::SlotSpan>& spans) {
    auto chosen = std::make_shared<std::bitset<kSlotCount>>();
    for (const cluster::SlotSpan& span : spans)
      for (uint32_t slot = span.first; slot <= span.last; ++slot) chosen->set(slot);
    auto walk = std::make_shared<DropWalk>(
        store, [chosen](std::string_view key) { return chosen->test(SlotOf(key)); });
    return [walk] { return walk->Step(); };
  };
  return effects;
}

}  // namespace

std::unique_ptr<cluster::Driver> MakeDriver(const Settings& settings,
                                            const DialCredentials& peer_credentials, Store* store,
                                            StepBarrier::PostToAll post_to_all,
                                            std::function<void(bool)> set_ready) {
  const ClusterSettings& cluster = settings.cluster;
  if (cluster.name.empty()) return nullptr;
  return std::make_unique<cluster::Driver>(cluster::DriverOptions{
      .cluster = cluster.name,
      .node_id = cluster.node_id,
      .zone = cluster.zone,
      .version = FERRITE_VERSION,
      .etcd_endpoints = cluster.etcd_endpoints,
      .etcd_credentials = DialCredentials(cluster.etcd_tls),
      .peer_credentials = peer_credentials,
      .serving_ttl_ms = static_cast<uint32_t>(absl::ToInt64Milliseconds(cluster.lease_ttl)),
      .store = EffectsOn(store, std::move(post_to_all)),
      .set_ready = std::move(set_ready)});
}

ToldAddresses AddressesToTell(const Settings& settings, const std::vector<Address>& bound) {
  const ClusterSettings& cluster = settings.cluster;
  // The settings have been checked, and all that they name is there.
  const Address clients = cluster.advertise.has_value() ? *cluster.advertise : *FirstToTell(bound);
  Address nodes = clients;
  if (cluster.internal_listen.has_value()) {
    nodes.port = bound.back().port;
    if (FirstToTell({bound.back()}).has_value()) nodes.host = bound.back().host;
  }
  return {clients.ToString(), nodes.ToString()};
}

}  // namespace ferrite
