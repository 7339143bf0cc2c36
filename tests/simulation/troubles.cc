#include "tests/simulation/troubles.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "ferrite/internal/v1/cluster_map.pb.h"
#include "ferrite/internal/v1/node_record.pb.h"
#include "server/cluster/cluster_map.h"

namespace ferrite::simulation {

void Troubles::MakeUntil(int64_t end_ns) {
  end_ns_ = end_ns;
  // With such a network a right may run out at any time.
  if (world_.scenario().spike > 0 || world_.scenario().loss > 0) world_.ExpectTroubleUntil(end_ns);
  world_.network().SetQuality(world_.scenario().spike, world_.scenario().loss,
                              world_.scenario().duplication);
  MakeOne();
}

void Troubles::MakeOne() {
  if (mended_ || world_.now_ns() >= end_ns_) return;
  std::vector<Trouble> kinds = world_.scenario().troubles;
  if (!kinds.empty() && world_.now_ns() > 0) Make(world_.random().Of(kinds));
  world_.queue().After(1 + world_.random().Exponential(world_.scenario().trouble_every_ns),
                       [this] { MakeOne(); });
}

void Troubles::Later(int64_t delay_ns, std::function<void()> act) {
  world_.ExpectTroubleUntil(world_.now_ns() + delay_ns);
  world_.queue().After(delay_ns, [this, act = std::move(act)] {
    if (!mended_) act();
  });
}

SimHost* Troubles::SomeHost() { return world_.random().Of(world_.hosts()).get(); }

SimHost* Troubles::SomeLivingHost() {
  for (int attempt = 0; attempt < 10; ++attempt) {
    SimHost* host = SomeHost();
    if (host->process != nullptr && host->process->alive()) return host;
  }
  return nullptr;
}

// From a moment to far longer than any right lasts.
int64_t Troubles::SomeTime() const {
  Random& random = world_.random();
  return random.Chance(0.3) ? random.Between(0, world_.scenario().ttl_ns())
                            : random.Between(0, 4 * world_.scenario().ttl_ns());
}

void Troubles::Make(Trouble trouble) {
  Random& random = world_.random();
  world_.ExpectTroubleUntil(world_.now_ns());
  const auto say = [this](const std::string& who, const std::string& what) {
    world_.history().Add(world_.now_ns(), who, "!! " + what);
  };
  SimHost* host = SomeHost();
  switch (trouble) {
    case Trouble::kPause:
      return Pause();
    case Trouble::kCrash:
      return Crash(/*for_good=*/false);
    case Trouble::kLoss:
      return Crash(/*for_good=*/true);
    case Trouble::kJoin:
      if (world_.hosts().size() < 9) world_.Start(world_.AddHost());
      return;
    case Trouble::kDrain:
      return Drain();
    case Trouble::kLeave:
      return Leave();
    case Trouble::kCut:
      return Cut(host, SomeTime());
    case Trouble::kOutage:
      return Outage();
    case Trouble::kSlowness:
      say("net", "slow");
      world_.network().SetSlowness(static_cast<double>(random.Between(2, 200)));
      return Later(SomeTime(), [this] { world_.network().SetSlowness(1); });
    case Trouble::kWallStep:
      return StepWallClock();
    case Trouble::kKeyDeleted:
      return DeleteKey();
    case Trouble::kKeyFlaps:
      return FlapKey();
    case Trouble::kKeyOverwritten:
      return OverwriteKey();
    case Trouble::kLeaseLost:
      return ForgetLease();
    case Trouble::kControllerGone:
      say("etcd", "controller's key deleted");
      world_.etcd().Delete(world_.keys().controller());
      return;
    case Trouble::kCeilingDeleted:
      return DeleteCeiling();
    case Trouble::kMapDeleted:
      return DeleteMap();
    case Trouble::kRestored:
      return RestoreEtcd();
    case Trouble::kGarbage:
      say(host->id, "hears garbage");
      host->replies_garbled = true;
      return Later(SomeTime(), [host] { host->replies_garbled = false; });
    case Trouble::kWatch:
      if (random.Chance(0.5)) {
        host->watch_replays = true;
        return Later(SomeTime(), [host] { host->watch_replays = false; });
      }
      for (const auto& each : world_.hosts()) each->watch_silent = true;
      return Later(SomeTime(), [this] {
        for (const auto& each : world_.hosts()) each->watch_silent = false;
      });
    case Trouble::kBadMoment:
      return WaitForBadMoment();
    case Trouble::kRebalance:
      if (const auto process = host->process; process != nullptr)
        process->Do([process] { process->Step(cluster::Wish::kRebalance); });
      return;
    case Trouble::kSameId:
      return StartSameId();
    case Trouble::kMapTooNew:
      return WriteNewerMap();
    case Trouble::kCount:
      return;
  }
}

void Troubles::Pause() {
  SimHost* host = SomeLivingHost();
  if (host == nullptr || host->process->paused()) return;
  const auto process = host->process;
  process->Pause();
  const int64_t time = SomeTime();
  world_.history().Add(world_.now_ns(), process->name(), absl::StrFormat("!! stands still"));
  world_.ExpectTroubleUntil(world_.now_ns() + time);
  world_.queue().After(time, [this, process] {
    if (!process->paused()) return;
    world_.history().Add(world_.now_ns(), process->name(), "goes on");
    world_.ExpectTroubleUntil(world_.now_ns());
    process->Resume();
  });
}

void Troubles::Crash(bool for_good) {
  if (SimHost* host = SomeLivingHost(); host != nullptr) CrashHost(host, for_good);
}

void Troubles::CrashHost(SimHost* host, bool for_good) {
  size_t living = 0;
  for (const auto& other : world_.hosts())
    living += other->process != nullptr && other->process->alive();
  if (for_good && living < 2) return;
  world_.history().Add(world_.now_ns(), host->id, for_good ? "!! is lost" : "!! crashes");
  world_.End(host);
  host->lost = for_good;
  if (!for_good) Later(SomeTime(), [this, host] { world_.Start(host); });
}

void Troubles::Drain() {
  if (SimHost* host = SomeLivingHost(); host != nullptr) {
    const auto process = host->process;
    world_.history().Add(world_.now_ns(), process->name(), "!! is to drain");
    process->Do([process] { process->Step(cluster::Wish::kDrain); });
    // It may have nobody to give its slots to.
    Later(SomeTime() + 5 * kSecond, [process] { process->WantToLeave(); });
  }
}

void Troubles::Leave() {
  if (SimHost* host = SomeLivingHost(); host != nullptr) host->process->WantToLeave();
}

void Troubles::Cut(SimHost* host, int64_t time_ns) {
  const uint64_t kind = world_.random().Below(4);
  host->requests_lost = kind == 0 || kind == 2;
  host->replies_lost = kind == 1 || kind == 2;
  host->txns_lost = kind == 3;
  world_.history().Add(world_.now_ns(), host->id, absl::StrFormat("!! is cut off (%d)", kind));
  Later(time_ns, [this, host] { Connect(host); });
}

void Troubles::Connect(SimHost* host) {
  if (!host->requests_lost && !host->replies_lost && !host->txns_lost) return;
  host->requests_lost = host->replies_lost = host->txns_lost = false;
  world_.history().Add(world_.now_ns(), host->id, "is connected");
}

// An operator believes that the node is dead, and may be nearly right.
void Troubles::DeleteKey() {
  Random& random = world_.random();
  SimHost* host = SomeHost();
  const int64_t ttl_ns = world_.scenario().ttl_ns();
  const auto remove = [this, host] {
    world_.history().Add(world_.now_ns(), host->id, "!! node key deleted");
    world_.etcd().Delete(world_.keys().Node(host->id));
  };
  if (random.Chance(0.4)) return remove();
  // It does not hear of it: its calls fail by then, or have become slow before.
  const int64_t until_cut = random.Chance(0.5) ? 0 : ttl_ns / 2;
  if (until_cut > 0) host->replies_late_ns = random.Between(ttl_ns / 8, ttl_ns / 4);
  Later(until_cut, [this, host, remove, ttl_ns] {
    Cut(host, world_.random().Between(ttl_ns, 4 * ttl_ns));
    const int64_t until_removed =
        world_.random().Between(0, ttl_ns / (world_.random().Chance(0.5) ? 5 : 100));
    Later(until_removed, [host, remove] {
      remove();
      host->replies_late_ns = 0;
    });
  });
}

void Troubles::FlapKey() {
  SimHost* host = SomeHost();
  const int64_t ttl_ns = world_.scenario().ttl_ns();
  const auto remove = [this, host] {
    world_.history().Add(world_.now_ns(), host->id, "!! node key deleted");
    world_.etcd().Delete(world_.keys().Node(host->id));
  };
  remove();
  // Nobody hears of its return.
  for (const auto& each : world_.hosts()) each->watch_silent = true;
  const int64_t until_second = world_.random().Between(ttl_ns / 3, ttl_ns * 5 / 4);
  Later(until_second, [this, host, remove, ttl_ns] {
    Cut(host, 2 * ttl_ns);
    remove();
    for (const auto& each : world_.hosts()) each->watch_silent = false;
  });
}

void Troubles::StepWallClock() {
  Random& random = world_.random();
  SimHost* host = SomeHost();
  const auto step = [this, host](int64_t step_us) {
    host->wall_offset_us += step_us;
    world_.history().Add(world_.now_ns(), host->id,
                         absl::StrFormat("!! wall clock steps by %d us", step_us));
  };
  if (random.Chance(0.7))
    return step(random.Between(-1000, 1000) * (random.Chance(0.5) ? 1000 : 1'000'000));
  // Far ahead, and the machine goes down before anybody has noticed; then the clock is set right.
  const int64_t ahead_us = random.Between(100, 1000) * 1'000'000;
  step(ahead_us);
  Later(random.Between(0, kSecond / 2), [this, host, step, ahead_us] {
    if (host->process != nullptr && host->process->alive()) CrashHost(host, /*for_good=*/false);
    step(-ahead_us);
  });
}

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

void Troubles::OverwriteKey() {
  const SimHost* host = SomeHost();
  const std::string key = world_.keys().Node(host->id);
  const auto* kv = world_.etcd().Find(key);
  if (kv == nullptr) return;
  internal::v1::NodeRecord record;
  record.ParseFromString(kv->value());
  std::string value = "nonsense";
  if (world_.random().Chance(0.5)) {
    record.set_boot_id(world_.random().Next() | 1);
    value = record.SerializeAsString();
  }
  world_.history().Add(world_.now_ns(), host->id, "!! node key overwritten");
  const bool with_lease = world_.random().Chance(0.8);
  world_.etcd().Put(key, value, with_lease ? kv->lease() : 0);
  // Otherwise it stays until somebody deletes it.
  if (!with_lease) world_.ExpectTroubleUntil(end_ns_);
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

void Troubles::StartSameId() {
  SimHost* host = SomeLivingHost();
  if (host == nullptr) return;
  const auto first = host->process;
  world_.StartSecond(host);
  // An operator notices, and ends one of the two.
  Later(SomeTime(), [this, host, first] {
    world_.EndSeconds();
    first->End();
    if (host->process == first) world_.Start(host);
  });
}

void Troubles::Mend() {
  mended_ = true;
  world_.history().Add(world_.now_ns(), "", "all is mended");
  world_.network().SetEtcd(Network::Etcd::kUp);
  world_.network().SetSlowness(1);
  world_.network().SetQuality(0, 0, 0);
  PutMapBack();
  world_.EndSeconds();
  for (const auto& [key, kv] : std::map(world_.etcd().state().keys)) {
    // A node key that somebody wrote without a lease does not go by itself.
    if (key.starts_with(world_.keys().nodes()) && kv.lease() == 0) world_.etcd().Delete(key);
  }
  for (const auto& owned : world_.hosts()) {
    SimHost* host = owned.get();
    host->requests_lost = host->replies_lost = host->txns_lost = false;
    host->replies_late_ns = 0;
    host->replies_garbled = host->watch_replays = host->watch_silent = false;
    const auto process = host->process;
    if (process->alive()) {
      process->Resume();
      process->Do([process] { process->Step(cluster::Wish::kStay); });
    } else if (!host->lost) {
      world_.Start(host);
    }
  }
  world_.ExpectTroubleUntil(world_.now_ns());
}

}  // namespace ferrite::simulation
