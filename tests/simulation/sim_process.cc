#include "tests/simulation/sim_process.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "tests/simulation/world.h"

namespace ferrite::simulation {

using cluster::ClusterView;
using cluster::Route;
using cluster::SlotSpan;

namespace {

cluster::CoreSettings SettingsOf(World* world, const SimHost& host, uint64_t boot_id) {
  cluster::CoreSettings settings;
  settings.cluster = "sim";
  settings.self.set_node_id(host.id);
  settings.self.set_boot_id(boot_id);
  settings.self.set_address(host.id + ":6380");
  settings.self.set_zone(host.zone);
  settings.serving_ttl_ms = world->scenario().ttl_ms;
  settings.random_seed = boot_id;
  settings.faults = world->scenario().faults;
  settings.read_map = [maps = &world->maps()](std::string_view bytes) { return maps->Read(bytes); };
  return settings;
}

}  // namespace

SimProcess::SimProcess(World* world, SimHost* host, uint64_t boot_id)
    : world_(*world),
      host_(host),
      name_(absl::StrFormat("%s.%d", host->id, ++host->processes)),
      core_(SettingsOf(world, *host, boot_id)) {}

void SimProcess::Resume() {
  paused_ = false;
  // Before it learns anything of what it has missed.
  world_.CheckServing(*this);
  while (alive_ && !paused_ && !inbox_.empty()) {
    const std::function<void()> act = std::move(inbox_.front());
    inbox_.pop_front();
    act();
  }
}

void SimProcess::Step(const cluster::Event& event) {
  cluster::Actions actions;
  core_.Step(event, host_->Now(world_.now_ns()), &actions);
  for (const cluster::Action& action : actions)
    std::visit([this](const auto& of_kind) { Act(of_kind); }, action);
  ScheduleTick();
}

void SimProcess::ScheduleTick() {
  const int64_t due_ns = std::max(host_->WorldNs(core_.next_wakeup_ns()), world_.now_ns());
  if (tick_ns_ >= world_.now_ns() && tick_ns_ <= due_ns) return;
  tick_ns_ = due_ns;
  world_.queue().At(due_ns, [self = shared_from_this(), due_ns] {
    self->Do([self, due_ns] {
      if (self->tick_ns_ != due_ns) return;
      self->tick_ns_ = -1;
      self->Step(cluster::Tick{});
    });
  });
}

bool SimProcess::Serves() const {
  return alive_ && !paused_ && right_.Holds(host_->Now(world_.now_ns()).steady_ns);
}

bool SimProcess::MayServe(uint32_t slot) {
  return right_.Holds(host_->Now(world_.now_ns()).steady_ns) &&
         reader_.view().route(slot).place == Route::Place::kHere;
}

// ---- Calls of clients

void SimProcess::Call(uint32_t slot, bool write) {
  if (!MayServe(slot)) return;
  const Work work{slot, write, world_.checker().Known(slot), published_.count(), 0};
  working_.insert(work.view_count);
  // Sometimes a thread loses its core for longer than anybody would think.
  const auto delay = [this] {
    Random& random = world_.random();
    return random.Chance(0.02) ? random.Between(0, 2 * world_.scenario().ttl_ns())
                               : random.Between(0, 2 * kMs);
  };
  world_.queue().After(delay(), [self = shared_from_this(), work, then = delay()] {
    self->Do([self, work, then] {
      Work done = work;
      done.version = work.write ? self->store_.Write(
                                      work.slot, self->host_->Now(self->world_.now_ns()).wall_us)
                                : self->store_.Read(work.slot);
      self->world_.queue().After(then,
                                 [self, done] { self->Do([self, done] { self->Answer(done); }); });
    });
  });
}

void SimProcess::Answer(const Work& work) {
  if (MayServe(work.slot)) {
    if (world_.history().records())
      world_.history().Add(
          world_.now_ns(), name_,
          absl::StrFormat("%s slot %d: version %d", work.write ? "writes" : "reads", work.slot,
                          work.version));
    if (work.write) {
      world_.checker().OnWritten(work.slot, work.version, work.known, name_);
    } else {
      world_.checker().OnRead(work.slot, work.version, work.known, name_);
    }
  }
  working_.erase(working_.find(work.view_count));
  BeginDrops();
}

// ---- What the core wants

void SimProcess::Act(const cluster::AskEtcd& call) {
  world_.network().Send(shared_from_this(), call);
}

void SimProcess::Act(const cluster::Serve& serve) {
  const bool served = Serves();
  if (serve.view != nullptr) {
    const int64_t epoch = serve.view->version().epoch;
    if (epoch != 0) {
      world_.checker().OnEpoch(name_, epoch_, epoch);
      epoch_ = epoch;
    }
    spans_.clear();
    for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
      if (serve.view->route(slot).place != Route::Place::kHere) continue;
      if (!spans_.empty() && spans_.back().last + 1 == slot) {
        spans_.back().last = slot;
      } else {
        spans_.push_back({slot, slot});
      }
    }
    published_.Publish(serve.view);
  }
  right_.Set(serve.right_end_ns);
  if (world_.history().records()) {
    std::string spans;
    for (const SlotSpan& span : spans_)
      absl::StrAppendFormat(&spans, " %d-%d", span.first, span.last);
    world_.history().Add(
        world_.now_ns(), name_,
        absl::StrFormat("serves%s until %.4f, epoch %d", spans.empty() ? " nothing" : spans,
                        static_cast<double>(host_->WorldNs(serve.right_end_ns)) / 1e9, epoch_));
  }
  // A right that goes on for the same slots changes nothing.
  if (serve.view != nullptr || !served) world_.CheckServing(*this);
}

void SimProcess::Act(const cluster::Drop& drop) {
  drops_.push_back({drop, published_.count()});
  BeginDrops();
}

void SimProcess::BeginDrops() {
  for (auto pending = drops_.begin(); pending != drops_.end();) {
    if (!working_.empty() && *working_.begin() < pending->view_count) {
      ++pending;
      continue;
    }
    const int64_t duration = world_.random().Between(0, 300 * kMs);
    world_.queue().After(duration, [self = shared_from_this(), drop = pending->drop] {
      self->Do([self, drop] {
        for (const SlotSpan& span : drop.spans) self->store_.Drop(span);
        self->world_.history().Add(self->world_.now_ns(), self->name_, "has dropped");
        self->Step(cluster::Dropped{drop.id});
      });
    });
    pending = drops_.erase(pending);
  }
}

void SimProcess::Act(const cluster::Report& report) {
  world_.history().Add(world_.now_ns(), name_,
                       absl::StrFormat("reports %d: %s", static_cast<int>(report.problem),
                                       report.text.empty() ? "over" : report.text));
}

void SimProcess::Act(const cluster::Drained&) {
  world_.history().Add(world_.now_ns(), name_, "is drained");
  wants_to_leave_ = true;
}

}  // namespace ferrite::simulation
