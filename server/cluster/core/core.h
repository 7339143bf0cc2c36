#pragma once

// A node's part in its cluster, as a state machine: events in, actions out. It has no thread, no
// socket and no clock; the same events give the same actions. A driver gives it real ones
// (server/cluster), the simulator made up ones (tests/simulation).
//
// What makes it right, in short. The map in etcd says who owns a slot; each change of it compares
// the one before, so there is one line of maps. A node serves what the newest map that it knows
// gives to it, as long as it has the right to serve: until a ttl, less a margin, after it sent a
// transaction that found its node key there and read the newest map of that moment (renewal.h). A
// map gives slots to another
//   - of a node that is gone: a ttl after its key was seen gone, on condition that it was not back
//     in between (takeover.h). All rights of the node from before have ended by then, and whatever
//     right it gets later comes with a map that has the slots at another;
//   - of a node that lives: after it has acknowledged that it has stopped serving them by a map
//   that
//     marks them as releasing (map_change.h).
// So at no time do two nodes serve a slot, whatever etcd does to leases, and however long messages
// and nodes are delayed. Watches are hints, answers that do not come prove nothing, and an etcd
// that goes back in time ends the node's service until an operator has looked.
//
// Versions of a key never go back: each new owner starts above the floor in the map, which is above
// what owners before it could give (ceiling.h), and drops what it still holds of slots that were
// another's (holdings.h).

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "server/cluster/core/action.h"
#include "server/cluster/core/calls.h"
#include "server/cluster/core/ceiling.h"
#include "server/cluster/core/controller.h"
#include "server/cluster/core/elector.h"
#include "server/cluster/core/etcd_identity.h"
#include "server/cluster/core/event.h"
#include "server/cluster/core/holdings.h"
#include "server/cluster/core/jitter.h"
#include "server/cluster/core/lease.h"
#include "server/cluster/core/lister.h"
#include "server/cluster/core/map_keeper.h"
#include "server/cluster/core/problems.h"
#include "server/cluster/core/registrar.h"
#include "server/cluster/core/renewal.h"
#include "server/cluster/core/settings.h"
#include "server/cluster/core/view_maker.h"
#include "server/cluster/keys.h"

namespace ferrite::cluster {

// What of a core is of interest to people.
struct CoreStatus {
  bool registered = false;  // the node key is there, as far as is known
  bool controller = false;
  bool foreign = false;  // etcd is not what it was: see Problem::kForeign
  bool draining = false;
  bool has_map = false;
  int64_t epoch = 0;
  uint64_t generation = 0;
  uint64_t cluster_uid = 0;
  int64_t right_end_ns = 0;  // 0: no right to serve
  int64_t revision = 0;      // of etcd, the highest that was seen
  uint64_t nodes = 0;        // that live
  uint64_t map_changes = 0;  // made by this process
  uint64_t slots_given = 0;  // by them
  // By how much the wall clock that is furthest off is ahead of this node's; 0: none is off by so
  // much that it counts as a problem.
  int64_t clock_ahead_us = 0;
};

// Not thread-safe.
class Core {
 public:
  explicit Core(const CoreSettings& settings);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Appends to `*actions` what is to be done, in order. `now` never goes back.
  void Step(const Event& event, const Moment& now, Actions* actions);

  // When the next Tick is due, by the steady clock.
  int64_t next_wakeup_ns() const { return next_wakeup_ns_; }

  CoreStatus status() const;
  // What rebalancing would do now, for a dry run; absent: nothing, or not known.
  std::optional<MapChange> PlanRebalance() const;

 private:
  void On(const Tick&) {}
  void On(const EtcdReply& reply);
  void On(const WatchHint& hint);
  void On(const Dropped& dropped);
  void On(Wish wish);

  // Of a transaction that reads the map: whether the answer can be trusted.
  bool TakeMap(const SentCall& call, const EtcdReply& reply);
  bool TakeHeader(const SentCall& call, const EtcdReply& reply);
  void Accept(MapKeeper::Verdict verdict);
  void OnRenewal(const EtcdReply& reply);
  void OnList(const EtcdReply& reply);
  void OnListing();
  void OnChange(const SentCall& call, const EtcdReply& reply);
  void Doubt(const absl::Status& why);
  void LoseLease();
  void Leave();

  void Publish();
  void SetVersions();
  void Acknowledge();
  void Advance();
  void ReportProblems();
  void ScheduleWakeup();
  bool CanAct() const;
  bool MayServe() const;
  bool MayBegin() const;
  int64_t ReadEpoch() const;
  bool has_lapsed() const { return renewal_.end_ns() <= now_.steady_ns; }
  Renewal::Inputs RenewalInputs() const;

  const CoreSettings settings_;
  const Keys keys_;
  Jitter jitter_;
  Calls calls_;
  Problems problems_;
  EtcdIdentity identity_;
  MapKeeper map_;
  Lease lease_;
  Ceiling ceiling_;
  Registrar registrar_;
  Renewal renewal_;
  Lister lister_;
  Elector elector_;
  Controller controller_;
  Holdings holdings_;
  ViewMaker view_maker_;

  Moment now_;
  Actions* actions_ = nullptr;
  int64_t next_wakeup_ns_ = 0;
  int doubts_ = 0;  // in a row
  std::string doubt_;
  bool foreign_ = false;
  bool left_ = false;
  bool draining_ = false;
  bool drained_ = false;
  // Of what the newest map gives to this node.
  bool owns_slots_ = false;
  uint64_t releasing_since_ = 0;  // the latest
  uint64_t leaps_ = 0;            // of the map, that are dealt with
  bool view_is_old_ = true;
  bool could_begin_ = false;  // when the view was made
  bool ceiling_was_there_ = false;
  uint64_t floor_ = 0;         // that the store was told
  int64_t right_end_ns_ = -1;  // as told last
  int64_t answered_ns_ = 0;    // when etcd answered last; 0: never
  std::string garbage_;        // of the last answer; empty: it was none
};

}  // namespace ferrite::cluster
