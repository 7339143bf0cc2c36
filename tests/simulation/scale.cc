#include "tests/simulation/scale.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "server/cluster/cluster_map.h"
#include "tests/simulation/world.h"

namespace ferrite::simulation {
namespace {

constexpr int64_t kLookEveryNs = 100 * kMs;
constexpr int64_t kPatienceNs = 600 * kSecond;

class ScaleRun {
 public:
  explicit ScaleRun(int nodes) : nodes_(nodes) { scenario_.hosts = 0; }

  std::vector<ScalePhase> Run(int batch, const std::function<void(const std::string&)>& progress) {
    const auto phase = [&](const std::string& name, auto act) {
      progress(name);
      Begin(name);
      act();
      Finish();
    };
    phase("they start within 10 s", [this] { StartAll(); });
    phase("a tenth of them fails at once", [this] { FailSome(); });
    phase("they come back", [this] { StartMissing(); });
    phase(absl::StrFormat("all are drained and started again, %d at a time", batch),
          [&] { Roll(batch, progress); });
    return phases_;
  }

 private:
  void Begin(const std::string& name) {
    phases_.push_back({.name = name,
                       .seconds = static_cast<double>(world_.now_ns()) / 1e9,
                       .map_changes = changes_,
                       .slots_moved = moved_,
                       .etcd_calls = world_.network().calls(),
                       .txns_per_second = world_.etcd().txns()});
  }

  void Finish() {
    UntilStable();
    ScalePhase& phase = phases_.back();
    phase.seconds = static_cast<double>(world_.now_ns()) / 1e9 - phase.seconds;
    const auto& value = world_.etcd().Find(world_.keys().map())->value();
    phase.map_bytes = value.size();
    phase.map_ranges = static_cast<size_t>((*cluster::ParseClusterMap(value))->ranges_size());
    phase.map_changes = changes_ - phase.map_changes;
    phase.slots_moved = moved_ - phase.slots_moved;
    phase.etcd_calls = world_.network().calls() - phase.etcd_calls;
    phase.txns_per_second = static_cast<uint64_t>(
        static_cast<double>(world_.etcd().txns() - phase.txns_per_second) / phase.seconds);
  }

  void StartAll() {
    for (int node = 0; node < nodes_; ++node) {
      SimHost* host = world_.AddHost();
      world_.queue().After(world_.random().Between(0, 10 * kSecond),
                           [this, host] { world_.Start(host); });
    }
    Pass(10 * kSecond);
  }

  void FailSome() {
    for (int node = 0; node < nodes_; node += 10) world_.End(world_.hosts()[node].get());
  }

  void StartMissing() {
    for (const auto& host : world_.hosts()) world_.Start(host.get());
  }

  void Roll(int batch, const std::function<void(const std::string&)>& progress) {
    for (int first = 0; first < nodes_; first += batch) {
      progress(absl::StrFormat("node %d of %d", first, nodes_));
      const int end = std::min(nodes_, first + batch);
      std::vector<std::shared_ptr<SimProcess>> leaving;
      for (int node = first; node < end; ++node) {
        leaving.push_back(world_.hosts()[node]->process);
        leaving.back()->Step(cluster::Wish::kDrain);
      }
      // Each is started again as soon as it has left (World).
      Until([&] {
        return std::none_of(leaving.begin(), leaving.end(),
                            [](const auto& process) { return process->alive(); });
      });
      UntilStable();
    }
  }

  void Pass(int64_t duration_ns) {
    FERRITE_CHECK(world_.RunUntil(world_.now_ns() + duration_ns));
    Count();
  }

  template <typename Condition>
  void Until(Condition holds) {
    const int64_t end_ns = world_.now_ns() + kPatienceNs;
    while (!holds()) {
      FERRITE_CHECK(world_.now_ns() < end_ns);
      Pass(kLookEveryNs);
    }
  }

  // All slots are served, by all who live, in even shares, and nothing is on its way.
  void UntilStable() {
    Until([this] {
      const auto* kv = world_.etcd().Find(world_.keys().map());
      if (kv == nullptr) return false;
      const auto serving = world_.Serving();
      size_t least = kSlotCount;
      size_t most = 0;
      size_t all = 0;
      for (const Checker::Server& server : serving) {
        size_t slots = 0;
        for (const auto& span : *server.spans) slots += span.last - span.first + 1;
        least = std::min(least, slots);
        most = std::max(most, slots);
        all += slots;
      }
      size_t living = 0;
      for (const auto& host : world_.hosts())
        living += host->process != nullptr && host->process->alive();
      return all == kSlotCount && serving.size() == living && most <= least + 1;
    });
  }

  // What controllers have done so far, those that have ended by now included.
  void Count() {
    for (const auto& host : world_.hosts()) {
      if (host->process == nullptr) continue;
      const auto status = host->process->core().status();
      auto& [changes, moved] = counted_[host->process->name()];
      changes_ += status.map_changes - changes;
      moved_ += status.slots_given - moved;
      changes = status.map_changes;
      moved = status.slots_given;
    }
  }

  const int nodes_;
  Scenario scenario_{.seed = 1,
                     .ttl_ms = 10'000,
                     .hosts = 0,
                     .drift = 0.01,
                     .delay_ns = 2 * kMs,
                     .wants_availability = false};
  History history_{/*records=*/false};
  World world_{scenario_, &history_};
  std::map<std::string, std::pair<uint64_t, uint64_t>> counted_;
  uint64_t changes_ = 0;
  uint64_t moved_ = 0;
  std::vector<ScalePhase> phases_;
};

}  // namespace

std::vector<ScalePhase> RunScale(int nodes, int batch,
                                 const std::function<void(const std::string&)>& progress) {
  return ScaleRun(nodes).Run(batch, progress);
}

}  // namespace ferrite::simulation
