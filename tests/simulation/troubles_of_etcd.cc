// What happens to etcd, and to what all have there.

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "ferrite/internal/v1/cluster_map.pb.h"
#include "server/cluster/cluster_map.h"
#include "tests/simulation/troubles.h"

namespace ferrite::simulation {

// The worst moment for a node to come back: a change of the map that takes its slots is under way.
void Troubles::WaitForBadMoment() {
  world_.network().SetBadMoment([this]() -> int64_t {
    if (mended_) return 0;
    world_.history().Add(world_.now_ns(), "net", "!! a change of the map is late");
    for (const auto& host : world_.hosts()) {
      Connect(host.get());
      if (host->process != nullptr && host->process->paused())
        world_.queue().After(0, [process = host->process] {
          if (process->paused()) process->Resume();
        });
    }
    const int64_t late_ns = world_.random().Between(0, world_.scenario().ttl_ns());
    world_.ExpectTroubleUntil(world_.now_ns() + late_ns);
    return late_ns;
  });
}

void Troubles::Outage() {
  if (restoring_) return;
  using Etcd = Network::Etcd;
  const Etcd kinds[] = {Etcd::kRefuses, Etcd::kSilent, Etcd::kMute};
  const Etcd kind = kinds[world_.random().Below(3)];
  world_.network().SetEtcd(kind);
  world_.history().Add(world_.now_ns(), "etcd",
                       absl::StrFormat("!! is out (%d)", static_cast<int>(kind)));
  // A new leader gives all leases their time anew; here also one that does not.
  const bool renews = world_.random().Chance(0.5);
  Later(SomeTime(), [this, renews] {
    if (restoring_) return;
    world_.history().Add(world_.now_ns(), "etcd", "is back");
    if (renews) world_.etcd().RenewAll(world_.now_ns());
    world_.network().SetEtcd(Network::Etcd::kUp);
  });
}

void Troubles::ForgetLease() {
  std::vector<int64_t> leases;
  for (const auto& [id, lease] : world_.etcd().state().leases) leases.push_back(id);
  if (leases.empty()) return;
  world_.history().Add(world_.now_ns(), "etcd", "!! forgets a lease");
  etcdserverpb::LeaseRevokeRequest request;
  request.set_id(world_.random().Of(leases));
  etcdserverpb::LeaseRevokeResponse response;
  world_.etcd().Revoke(request, &response);
}

void Troubles::DeleteCeiling() {
  const SimHost* host = SomeHost();
  world_.history().Add(world_.now_ns(), host->id, "!! ceiling deleted");
  world_.etcd().Delete(world_.keys().Ceiling(host->id));
}

void Troubles::DeleteMap() {
  if (world_.now_ns() < busy_until_ns_) return;
  busy_until_ns_ = world_.now_ns() + 6 * world_.scenario().ttl_ns();
  world_.history().Add(world_.now_ns(), "etcd", "!! map deleted");
  world_.ExpectTroubleUntil(world_.now_ns(), 3 * world_.scenario().ttl_ns());
  // One of the nodes may not hear of it while it still has the right to serve.
  if (world_.random().Chance(0.7)) Cut(SomeHost(), 2 * world_.scenario().ttl_ns());
  if (world_.etcd().Delete(world_.keys().map())) world_.checker().ForgetMap();
}

// Whoever restores etcd takes longer than any right lasts: that is in the manual.
void Troubles::RestoreEtcd() {
  if (world_.now_ns() < busy_until_ns_) return;
  const int64_t until_restored = SomeTime();
  const int64_t outage = 2 * world_.scenario().ttl_ns();
  busy_until_ns_ = world_.now_ns() + until_restored + outage + 6 * world_.scenario().ttl_ns();
  world_.ExpectTroubleUntil(busy_until_ns_, 3 * world_.scenario().ttl_ns());
  world_.queue().After(until_restored, [this, outage, state = world_.etcd().state()] {
    if (mended_) return;
    world_.history().Add(world_.now_ns(), "etcd", "!! is being restored");
    restoring_ = true;
    world_.network().SetEtcd(Network::Etcd::kSilent);
    world_.queue().After(outage, [this, state] {
      if (mended_) return;
      world_.history().Add(world_.now_ns(), "etcd", "is restored");
      restoring_ = false;
      world_.network().SetEtcd(Network::Etcd::kUp);
      world_.etcd().Restore(state);
      world_.etcd().RenewAll(world_.now_ns());
      // What was lost is lost, the versions that were given since among it.
      world_.checker().ForgetMap();
      world_.checker().ForgetVersions();
      world_.ExpectTroubleUntil(world_.now_ns(), 3 * world_.scenario().ttl_ns());
    });
  });
}

void Troubles::WriteNewerMap() {
  if (world_.now_ns() < busy_until_ns_) return;
  const std::string key = world_.keys().map();
  const auto* kv = world_.etcd().Find(key);
  if (kv == nullptr) return;
  const int64_t time = SomeTime();
  busy_until_ns_ = world_.now_ns() + time + world_.scenario().ttl_ns();
  world_.ExpectTroubleUntil(world_.now_ns() + time);
  internal::v1::ClusterMap map;
  if (!map.ParseFromString(kv->value())) return;
  world_.history().Add(world_.now_ns(), "etcd", "!! map of a newer version");
  const auto go_on = [this, &map] {
    map.set_generation(map.generation() + 1);
    const auto tags = map.recent_tags();
    map.clear_recent_tags();
    map.add_recent_tags(world_.random().Next());
    for (int tag = 0; tag < std::min(tags.size(), cluster::kMaxTags - 1); ++tag)
      map.add_recent_tags(tags[tag]);
  };
  go_on();
  internal::v1::ClusterMap newer = map;
  newer.add_required_features("copies");
  go_on();
  map_to_put_back_ = map.SerializeAsString();
  world_.WriteMap(newer.SerializeAsString());
  Later(time, [this] { PutMapBack(); });
}

void Troubles::PutMapBack() {
  if (map_to_put_back_.empty()) return;
  world_.history().Add(world_.now_ns(), "etcd", "map of this version again");
  world_.WriteMap(std::exchange(map_to_put_back_, ""));
}

}  // namespace ferrite::simulation
