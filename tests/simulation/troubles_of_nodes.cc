// What happens to machines, and to what they have in etcd.

#include "absl/strings/str_format.h"
#include "ferrite/internal/v1/node_record.pb.h"
#include "tests/simulation/troubles.h"

namespace ferrite::simulation {

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

}  // namespace ferrite::simulation
