#include "tests/simulation/world.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_format.h"
#include "proto/slot.h"
#include "server/cluster/node_record.h"

namespace ferrite::simulation {

namespace {

// The slots whose keys clients use: few, so that calls meet.
constexpr uint32_t kSlots[] = {0, 3000, 5461, 8191, 8192, 12000, 16383};
constexpr int64_t kTendEveryNs = 100 * kMs;

}  // namespace

World::World(const Scenario& scenario, History* history)
    : scenario_(scenario), history_(*history), random_(scenario.seed ^ 0xfeed) {
  etcd_.Listen([this](const mvccpb::Event& event) {
    if (event.kv().key() == keys_.map() && event.type() == mvccpb::Event::PUT && !operator_writes_)
      checker_.OnMap(event.kv());
    network_.Tell(event);
  });
  for (int host = 0; host < scenario.hosts; ++host) Start(AddHost());
  ExpectTroubleUntil(0);
  Tend();
  if (scenario.call_every_ns > 0) CallSomething();
}

World::~World() = default;

SimHost* World::AddHost() {
  auto host = std::make_unique<SimHost>();
  host->id = absl::StrFormat("n%d", ++names_);
  host->zone = absl::StrFormat("z%d", names_ % 3);
  const double off = random_.Unit() * 2 - 1;
  // As far as it may be, or less.
  host->rate = 1 + (random_.Chance(0.5) ? std::copysign(1.0, off) : off) * scenario_.drift;
  if (scenario_.wall_offset_us > 0)
    host->wall_offset_us = random_.Between(-scenario_.wall_offset_us, scenario_.wall_offset_us);
  hosts_.push_back(std::move(host));
  return hosts_.back().get();
}

void World::Start(SimHost* host) {
  if (host->process != nullptr && host->process->alive()) return;
  host->process = std::make_shared<SimProcess>(this, host, random_.Next() | 1);
  history_.Add(now_ns(), host->process->name(), "starts");
  host->process->Step(cluster::Tick{});
}

void World::StartSecond(SimHost* host) {
  auto second = std::make_shared<SimProcess>(this, host, random_.Next() | 1);
  history_.Add(now_ns(), second->name(), "starts beside the other");
  seconds_.push_back(second);
  second->Step(cluster::Tick{});
}

void World::EndSeconds() {
  for (const auto& second : seconds_) second->End();
  seconds_.clear();
}

void World::WriteMap(const std::string& value) {
  checker_.ForgetMap();
  operator_writes_ = true;
  etcd_.Put(keys_.map(), value);
  operator_writes_ = false;
}

void World::End(SimHost* host) {
  history_.Add(now_ns(), host->process->name(), "ends");
  host->process->End();
}

void World::ExpectTroubleUntil(int64_t time_ns, int64_t recovery_ns) {
  // The lease of a node that is gone runs out, then its right: its own, which may be slow, by a
  // clock that may be slow, too. Then calls have to be made, some of which fail.
  const bool ceilings_go = std::count(scenario_.troubles.begin(), scenario_.troubles.end(),
                                      Trouble::kCeilingDeleted) > 0;
  if (ceilings_go) recovery_ns += cluster::kMaxServingTtlMs * kMs * 11 / 10;
  const int64_t bound = recovery_ns + 2 * scenario_.ttl_ns() * 11 / 10 + 6 * kSecond;
  whole_from_ns_ = std::max(whole_from_ns_, time_ns + bound);
}

std::vector<Checker::Server> World::Serving() const {
  std::vector<Checker::Server> serving;
  const auto add = [&serving](const std::shared_ptr<SimProcess>& process) {
    if (process != nullptr && process->Serves())
      serving.push_back({process->name(), &process->spans()});
  };
  for (const auto& host : hosts_) add(host->process);
  for (const auto& second : seconds_) add(second);
  return serving;
}

void World::CheckServing(const SimProcess& changed) {
  if (!changed.Serves()) return;
  const auto check = [&](const std::shared_ptr<SimProcess>& other) {
    if (other == nullptr || other.get() == &changed) return;
    const auto overlap = FirstOverlap(changed.spans(), other->spans());
    if (overlap && other->Serves()) checker_.OnServedTwice(*overlap, changed.name(), other->name());
  };
  for (const auto& host : hosts_) check(host->process);
  for (const auto& second : seconds_) check(second);
}

void World::CheckWhole() {
  if (now_ns() < whole_from_ns_ || !scenario_.wants_availability) return;
  std::string missing;
  if (!Checker::IsWhole(Serving(), &missing))
    checker_.Fail(Broken::kAvailability,
                  missing + " is not served, although all has been well for long");
}

void World::CheckEven() {
  if (!scenario_.wants_availability) return;
  size_t least = kSlotCount;
  size_t most = 0;
  for (const Checker::Server& server : Serving()) {
    size_t slots = 0;
    for (const auto& span : *server.spans) slots += span.last - span.first + 1;
    least = std::min(least, slots);
    most = std::max(most, slots);
  }
  if (most > least + 1)
    checker_.Fail(Broken::kAvailability,
                  absl::StrFormat("shares are not even in the end: %d to %d slots", least, most));
}

// What goes on all the time.
void World::Tend() {
  etcd_.Expire(now_ns());
  CheckWhole();
  for (const auto& host : hosts_) {
    const auto process = host->process;
    if (process == nullptr || !process->alive() || process->paused()) continue;
    // Who is drained leaves; the operator starts it again.
    if (process->wants_to_leave()) {
      process->Step(cluster::Wish::kLeave);
      process->End();
      history_.Add(now_ns(), process->name(), "has left");
      const int64_t away = random_.Between(0, scenario_.most_away_ns + 1);
      ExpectTroubleUntil(now_ns() + away);
      queue_.After(away, [this, host = host.get()] { Start(host); });
    } else if (process->core().status().foreign) {
      // An operator looks at what has become of etcd, and starts the node again.
      ExpectTroubleUntil(now_ns() + 2 * kSecond, scenario_.ttl_ns());
      process->Step(cluster::Wish::kLeave);
      End(host.get());
      const int64_t away = random_.Between(0, random_.Chance(0.5) ? 2 * kSecond : kSecond / 10);
      queue_.After(away, [this, host = host.get()] { Start(host); });
    }
  }
  std::erase_if(seconds_, [](const auto& second) { return !second->alive(); });
  queue_.After(kTendEveryNs, [this] { Tend(); });
}

void World::CallSomething() {
  SimHost& host = *random_.Of(hosts_);
  const uint32_t slot = kSlots[random_.Below(std::size(kSlots))];
  const bool write = random_.Chance(0.5);
  // Most clients ask whoever owns the slot; they may be late.
  SimHost* asked = &host;
  for (const auto& other : hosts_) {
    if (other->process == nullptr || !other->process->alive()) continue;
    if (random_.Chance(0.9) && other->process->Serves() &&
        other->process->view().route(slot).place == cluster::Route::Place::kHere)
      asked = other.get();
  }
  if (const auto process = asked->process; process != nullptr)
    process->Do([process, slot, write] { process->Call(slot, write); });
  queue_.After(1 + random_.Exponential(scenario_.call_every_ns), [this] { CallSomething(); });
}

bool World::RunUntil(int64_t end_ns) {
  while (!checker_.violation() && queue_.Step(end_ns)) ++steps_;
  return !checker_.violation();
}

}  // namespace ferrite::simulation
