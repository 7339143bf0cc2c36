#include "tests/simulation/troubles.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"

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
