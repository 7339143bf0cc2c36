#pragma once

// A process: a core, with what a driver and a server do for it.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "server/cluster/core/core.h"
#include "server/cluster/published_view.h"
#include "server/cluster/serving_right.h"
#include "tests/simulation/sim_host.h"
#include "tests/simulation/sim_store.h"

namespace ferrite::simulation {

class World;

class SimProcess : public std::enable_shared_from_this<SimProcess> {
 public:
  SimProcess(World* world, SimHost* host, uint64_t boot_id);

  // Does it now, later if the process stands still, or never if it has ended.
  template <typename Act>
  void Do(Act act) {
    if (!alive_) return;
    if (paused_) {
      inbox_.push_back(std::move(act));
    } else {
      act();
    }
  }
  void Step(const cluster::Event& event);

  void Pause() { paused_ = true; }
  void Resume();
  void End() { alive_ = false; }

  bool alive() const { return alive_; }
  bool paused() const { return paused_; }
  // It runs, and its right to serve holds.
  bool Serves() const;
  // Of which slots, if it does.
  const std::vector<cluster::SlotSpan>& spans() const { return spans_; }

  // Begins a call about this slot: a write, or a read.
  void Call(uint32_t slot, bool write);

  const std::string& name() const { return name_; }
  const cluster::Core& core() const { return core_; }
  const cluster::ClusterView& view() { return reader_.view(); }
  SimHost* host() const { return host_; }
  bool wants_to_leave() const { return wants_to_leave_; }
  void WantToLeave() { wants_to_leave_ = true; }

 private:
  struct PendingDrop {
    cluster::Drop drop;
    uint64_t view_count;
  };
  // A call about a slot.
  struct Work {
    uint32_t slot;
    bool write;
    uint64_t known;       // version, at its start
    uint64_t view_count;  // likewise
    uint64_t version;     // what it gave
  };

  bool MayServe(uint32_t slot);
  void Execute(Work work);
  void Answer(const Work& work);
  void Finish(const Work& work);

  void Act(const cluster::AskEtcd& call);
  void Act(const cluster::Serve& serve);
  void Act(const cluster::Drop& drop);
  void Act(const cluster::RaiseFloor& raise) { store_.RaiseFloor(raise.version); }
  void Act(const cluster::LimitVersions& limit) { store_.LimitVersions(limit.version); }
  void Act(const cluster::Report& report);
  void Act(const cluster::Drained&);
  void BeginDrops();
  void ScheduleTick();

  World& world_;
  SimHost* const host_;
  const std::string name_;
  cluster::Core core_;
  cluster::PublishedView published_;
  cluster::ViewReader reader_{&published_};
  cluster::ServingRight right_;
  SimStore store_;
  bool alive_ = true;
  bool paused_ = false;
  bool wants_to_leave_ = false;
  std::deque<std::function<void()>> inbox_;  // while it stands still
  std::vector<cluster::SlotSpan> spans_;
  int64_t epoch_ = 0;                // of the views so far
  std::multiset<uint64_t> working_;  // the view counts of calls in progress
  std::vector<PendingDrop> drops_;
  int64_t tick_ns_ = -1;  // that is scheduled, in the world's time
};

}  // namespace ferrite::simulation
