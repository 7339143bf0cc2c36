#include "server/cluster/core/core.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace ferrite::cluster {

Core::Core(const CoreSettings& settings)
    : settings_(settings),
      keys_(settings_.cluster),
      jitter_(settings_.random_seed),
      calls_(settings_.call_timeout_ns()),
      map_(settings_.faults, settings_.read_map),
      lease_(settings_),
      ceiling_(settings_),
      registrar_(settings_, keys_),
      renewal_(settings_, keys_),
      lister_(keys_),
      elector_(settings_, keys_),
      controller_(settings_, keys_),
      holdings_(settings_.faults),
      view_maker_(settings_) {}

void Core::Step(const Event& event, const Moment& now, Actions* actions) {
  now_ = now;
  actions_ = actions;
  calls_.BeginStep(now, actions);
  ceiling_.Observe(now);
  if (answered_ns_ == 0) answered_ns_ = now.steady_ns;
  std::visit([this](const auto& of_kind) { On(of_kind); }, event);
  Publish();
  if (!foreign_ && !left_) Advance();
  ReportProblems();
  ScheduleWakeup();
}

void Core::On(const WatchHint& hint) {
  lister_.OnHint(hint, now_, map_.epoch(), controller_.wants_listings(elector_.is_controller()));
  const mvccpb::KeyValue& kv = hint.event.kv();
  if (settings_.faults.watch_believed && kv.key() == keys_.map() && !kv.value().empty()) {
    map_.Believe({.epoch = kv.mod_revision(), .value = &kv.value()});
    view_is_old_ = true;
  }
}

void Core::On(const Dropped& dropped) {
  holdings_.OnDropped(dropped.drop);
  view_is_old_ = true;
}

void Core::On(Wish wish) {
  switch (wish) {
    case Wish::kDrain:
    case Wish::kStay:
      draining_ = wish == Wish::kDrain;
      drained_ = false;
      registrar_.SetDraining(draining_);
      break;
    case Wish::kRebalance:
      controller_.Rebalance();
      lister_.Hasten(now_.steady_ns);
      break;
    case Wish::kLeave:
      Leave();
      break;
  }
}

void Core::Leave() {
  left_ = true;
  renewal_.Withdraw();
  if (lease_.id() == 0) return;
  etcdserverpb::LeaseRevokeRequest request;
  request.set_id(lease_.id());
  calls_.Send(Purpose::kRevokeLease, std::move(request));
}

// Without a right the node may have missed anything, another history of the map with the same epoch
// included; so then it reads all of it.
int64_t Core::ReadEpoch() const {
  return has_lapsed() || settings_.faults.epoch_back_accepted ? 0 : map_.read_epoch();
}

Renewal::Inputs Core::RenewalInputs() const {
  return {.lease = lease_.id(),
          .create_revision = registrar_.is_own() ? registrar_.create_revision() : 0,
          .mod_revision = registrar_.mod_revision(),
          .read_epoch = ReadEpoch()};
}

void Core::Advance() {
  if (has_lapsed()) lister_.DistrustAll();
  lease_.Advance(now_, &calls_, &jitter_);
  registrar_.Advance(now_, lease_, ceiling_, &calls_);
  renewal_.Advance(now_, RenewalInputs(), ceiling_, &calls_);
  elector_.Advance(now_, CanAct(), lease_.id(), registrar_.create_revision(), &calls_);
  lister_.Advance(now_, controller_.wants_listings(elector_.is_controller()), ReadEpoch(), &calls_,
                  &jitter_);
}

void Core::ScheduleWakeup() {
  int64_t due = ceiling_.due_ns();
  if (!foreign_ && !left_) {
    due = std::min({due, lease_.due_ns(), registrar_.due_ns(lease_),
                    renewal_.due_ns(RenewalInputs()), lister_.due_ns()});
    if (CanAct() && registrar_.create_revision() != 0) due = std::min(due, elector_.due_ns());
  }
  next_wakeup_ns_ = std::max(due, now_.steady_ns + kNsPerMs);
}

CoreStatus Core::status() const {
  return {.registered = registrar_.create_revision() != 0,
          .controller = elector_.is_controller(),
          .foreign = foreign_,
          .draining = draining_,
          .has_map = map_.map() != nullptr,
          .epoch = map_.epoch(),
          .generation = map_.map() == nullptr ? 0 : map_.map()->generation(),
          .cluster_uid = map_.cluster_uid(),
          .right_end_ns = std::max<int64_t>(right_end_ns_, 0),
          .revision = calls_.revision(),
          .nodes = lister_.listing().nodes.size(),
          .map_changes = controller_.changes(),
          .slots_given = controller_.slots_given(),
          .clock_ahead_us = lister_.clock_ahead_us()};
}

std::optional<MapChange> Core::PlanRebalance() const {
  if (map_.map() == nullptr || lister_.listing().revision == 0) return std::nullopt;
  return NextMap(*map_.map(), lister_.listing(), {}, /*may_move=*/true,
                 /*tag=*/1, settings_.faults);
}

}  // namespace ferrite::cluster
