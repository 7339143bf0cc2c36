#include "server/cluster/core/core.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_format.h"
#include "server/cluster/core/txn.h"

namespace ferrite::cluster {

using etcdserverpb::TxnResponse;
using Outcome = EtcdReply::Outcome;
using Verdict = MapKeeper::Verdict;

namespace {

// Answers that a node has to get one after the other from an etcd that is not what it was, before
// it gives up. Meanwhile it serves nothing.
constexpr int kMaxDoubts = 3;

EtcdReply Unknown(const EtcdReply& reply) {
  return {.call = reply.call, .outcome = Outcome::kUnknown};
}

}  // namespace

Core::Core(const CoreSettings& settings)
    : settings_(settings),
      keys_(settings_.cluster),
      jitter_(settings_.random_seed),
      calls_(settings_.call_timeout_ns()),
      map_(settings_.faults),
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

// ---- Events

void Core::On(const EtcdReply& reply) {
  const std::optional<SentCall> call = calls_.Take(reply.call);
  if (!call || foreign_ || left_) return;
  if (reply.outcome == Outcome::kAnswered) answered_ns_ = now_.steady_ns;
  switch (call->purpose) {
    case Purpose::kGrantLease:
      lease_.OnGrant(reply, now_, &jitter_);
      break;
    case Purpose::kKeepLease:
      if (renewal_.OnKeepAlive(reply, now_, &jitter_)) LoseLease();
      break;
    case Purpose::kRenew:
      OnRenewal(TakeMap(*call, reply) ? reply : Unknown(reply));
      break;
    case Purpose::kList:
      OnList(TakeMap(*call, reply) ? reply : Unknown(reply));
      break;
    case Purpose::kRegister: {
      const int64_t before = registrar_.create_revision();
      registrar_.OnRegister(TakeHeader(*call, reply) ? reply : Unknown(reply), now_, &lease_,
                            &ceiling_, &jitter_);
      if (registrar_.create_revision() != before) {
        renewal_.Abandon();
        renewal_.Hasten();
      }
      break;
    }
    case Purpose::kUpdateRecord:
      registrar_.OnUpdate(TakeHeader(*call, reply) ? reply : Unknown(reply), now_, &jitter_);
      break;
    case Purpose::kCampaign:
      if (elector_.OnCampaign(TakeHeader(*call, reply) ? reply : Unknown(reply)))
        lister_.Hasten(now_.steady_ns);
      break;
    case Purpose::kChangeMap:
      OnChange(*call, TakeHeader(*call, reply) ? reply : Unknown(reply));
      break;
    case Purpose::kCollect:
      lister_.Hasten(now_.steady_ns + jitter_.RetryDelayNs());
      break;
    case Purpose::kResign:
    case Purpose::kRevokeLease:
      break;
  }
}

void Core::On(const WatchHint& hint) {
  lister_.OnHint(hint, now_, map_.epoch());
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

// ---- Answers

bool Core::TakeHeader(const SentCall& call, const EtcdReply& reply) {
  const auto* response = std::get_if<TxnResponse>(&reply.response);
  if (response == nullptr) return true;  // nothing to be misled by
  const absl::Status same = identity_.Check(response->header(), call.revision);
  if (!same.ok() && !settings_.faults.epoch_back_accepted) {
    Doubt(same);
    return false;
  }
  calls_.Know(response->header().revision(), map_.epoch());
  return true;
}

bool Core::TakeMap(const SentCall& call, const EtcdReply& reply) {
  const auto* response = std::get_if<TxnResponse>(&reply.response);
  if (response == nullptr) return true;
  if (!TakeHeader(call, reply)) return false;
  const auto reading = MapReadingAt(*response, 0, keys_.map());
  garbage_ = reading ? "" : "etcd's answer to a transaction is not one to what was asked";
  if (!reading) return false;
  if (settings_.faults.renewal_without_map && call.purpose == Purpose::kRenew) return true;
  const Verdict verdict = map_.Take(*reading, call.epoch);
  if (verdict == Verdict::kDoubtful) {
    Doubt(map_.trouble());
    return false;
  }
  doubts_ = 0;
  Accept(verdict);
  return true;
}

void Core::Accept(Verdict verdict) {
  if (verdict != Verdict::kNewer && verdict != Verdict::kUnreadable) return;
  view_is_old_ = true;
  calls_.Know(0, map_.epoch());
  if (map_.map() == nullptr) return;
  if (map_.leaps() != leaps_) {
    leaps_ = map_.leaps();
    holdings_.DropAll();
  }
  ceiling_.SetCluster(map_.cluster_uid());
  ceiling_.Reach(map_.map()->version_floor());
  if (ceiling_.IsDue()) renewal_.Hasten();
}

void Core::OnRenewal(const EtcdReply& reply) {
  switch (renewal_.OnTxn(reply, now_, &ceiling_, &jitter_)) {
    case Renewal::Finding::kKeyGone:
      registrar_.Lost();
      break;
    case Renewal::Finding::kKeyElse:
      registrar_.Saw(&renewal_.found(), renewal_.found().mod_revision);
      break;
    case Renewal::Finding::kNothing:
    case Renewal::Finding::kRenewed:
    case Renewal::Finding::kCeilingElse:
      break;
  }
}

void Core::OnList(const EtcdReply& reply) {
  if (!lister_.Expects(reply.call)) return;
  const auto* response = std::get_if<TxnResponse>(&reply.response);
  if (response == nullptr) return lister_.OnNoAnswer(reply, now_, &jitter_);
  const MapReading reading = *MapReadingAt(*response, 0, keys_.map());
  if (lister_.OnList(reply, reading, now_, &jitter_) == Lister::Finding::kComplete) OnListing();
}

void Core::OnListing() {
  const Listing& listing = lister_.listing();
  const auto own = listing.nodes.find(settings_.self.node_id());
  registrar_.Saw(own == listing.nodes.end() ? nullptr : &own->second, listing.revision);
  elector_.Observe(listing, now_, &jitter_);
  if (lister_.nodes_changed()) view_is_old_ = true;
  if (!controller_.wants_listings(elector_.is_controller()) || !CanAct()) return;
  // Of another map than the one that is known, or without ceilings: the next one will do.
  if (listing.map_epoch != map_.epoch() || !listing.has_ceilings)
    return lister_.Hasten(now_.steady_ns);
  controller_.OnListing(listing, map_, elector_.create_revision(), now_, &calls_, &jitter_);
  lister_.Hasten(controller_.due_ns(now_));
}

void Core::OnChange(const SentCall& call, const EtcdReply& reply) {
  const auto made = controller_.OnChange(reply);
  if (made) Accept(map_.Take(*made, call.epoch));
  // Go on from what there is, whatever that is.
  lister_.Hasten(made ? now_.steady_ns : now_.steady_ns + jitter_.RetryDelayNs());
}

void Core::Doubt(const absl::Status& why) {
  doubt_ = std::string(why.message());
  renewal_.Withdraw();
  renewal_.Hasten();
  if (++doubts_ >= kMaxDoubts) foreign_ = true;
}

void Core::LoseLease() {
  lease_.Lost();
  registrar_.Lost();
  renewal_.Abandon();
}

void Core::Leave() {
  left_ = true;
  renewal_.Withdraw();
  if (lease_.id() == 0) return;
  etcdserverpb::LeaseRevokeRequest request;
  request.set_id(lease_.id());
  calls_.Send(Purpose::kRevokeLease, std::move(request));
}

// ---- What is served

bool Core::CanAct() const {
  return !foreign_ && !left_ && (map_.map() != nullptr || map_.epoch() == 0);
}

bool Core::MayServe() const {
  return !foreign_ && !left_ && map_.map() != nullptr && ceiling_was_there_;
}

bool Core::MayBegin() const {
  return ceiling_was_there_ && map_.map() != nullptr &&
         (floor_ >= map_.map()->version_floor() || settings_.faults.floor_not_raised);
}

// Before anything is served by a new map: how high and how low new versions may be.
void Core::SetVersions() {
  if (!ceiling_.IsMissing()) ceiling_was_there_ = true;
  if (const auto limit = ceiling_.RaiseLimit())
    actions_->emplace_back(
        LimitVersions{settings_.faults.versions_unlimited ? UINT64_MAX : *limit});
  if (map_.map() == nullptr || ceiling_.IsDue() || settings_.faults.floor_not_raised) return;
  if (map_.map()->version_floor() <= floor_) return;
  floor_ = map_.map()->version_floor();
  actions_->emplace_back(RaiseFloor{floor_});
}

void Core::Publish() {
  SetVersions();
  Serve serve{.right_end_ns = MayServe() ? renewal_.end_ns() : 0};
  if (view_is_old_ || MayBegin() != could_begin_) {
    view_is_old_ = false;
    could_begin_ = MayBegin();
    serve.view = view_maker_.Make(map_.map().get(), map_.epoch(), lister_.listing(), could_begin_,
                                  &holdings_);
  }
  if (serve.view != nullptr || serve.right_end_ns != right_end_ns_) {
    right_end_ns_ = serve.right_end_ns;
    actions_->emplace_back(std::move(serve));
  }
  if (auto drop = holdings_.TakeDrop()) actions_->emplace_back(*std::move(drop));
  Acknowledge();
}

// What the map takes from this node is not served any more, as the view says so by now.
void Core::Acknowledge() {
  if (map_.map() == nullptr) return;
  bool owns = false;
  uint64_t releasing_since = 0;
  for (const auto& range : map_.map()->ranges()) {
    const auto& owner = map_.map()->members(static_cast<int>(range.owner()));
    if (owner.boot_id() != settings_.self.boot_id()) continue;
    owns = true;
    releasing_since = std::max(releasing_since, range.releasing_since());
  }
  if (releasing_since > registrar_.released_generation())
    registrar_.SetReleased(map_.map()->generation(), ceiling_.released_version());
  if (owns || !draining_ || drained_ || !registrar_.is_written()) return;
  drained_ = true;
  actions_->emplace_back(Drained{});
}

// ---- What is asked of etcd

// Without a right the node may have missed anything, another history of the map with the same epoch
// included; so then it reads all of it.
int64_t Core::ReadEpoch() const {
  const bool lapsed = renewal_.end_ns() <= now_.steady_ns;
  return lapsed || settings_.faults.epoch_back_accepted ? 0 : map_.read_epoch();
}

Renewal::Inputs Core::RenewalInputs() const {
  return {.lease = lease_.id(),
          .create_revision = registrar_.create_revision(),
          .mod_revision = registrar_.mod_revision(),
          .read_epoch = ReadEpoch()};
}

void Core::Advance() {
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

// ---- What people should know

void Core::ReportProblems() {
  const bool unreadable = map_.map() == nullptr && map_.epoch() != 0;
  const bool too_new = map_.trouble().code() == absl::StatusCode::kFailedPrecondition;
  const std::string trouble(map_.trouble().message());
  const bool silent = now_.steady_ns - answered_ns_ > settings_.ttl_ns() && !left_ && !foreign_;
  const std::pair<Problem, std::string> problems[] = {
      {Problem::kIdTaken, registrar_.taken_by()},
      {Problem::kForeign,
       foreign_ ? doubt_ + "; this node serves nothing until it is started again" : ""},
      {Problem::kMapBroken, unreadable && !too_new ? trouble : ""},
      {Problem::kMapTooNew, unreadable && too_new ? trouble : ""},
      {Problem::kMapTooLarge, controller_.too_large()},
      {Problem::kRecordBroken, lister_.trouble()},
      {Problem::kCeilingMissing, controller_.ceiling_missing()},
      {Problem::kEtcdGarbage, garbage_},
      {Problem::kEtcdSilent, silent ? absl::StrFormat("etcd has not answered for more than %d ms",
                                                      settings_.serving_ttl_ms)
                                    : ""},
      {Problem::kClockOff, lister_.WrongClock()},
  };
  for (const auto& [problem, text] : problems) problems_.Set(problem, text, actions_);
}

CoreStatus Core::status() const {
  int64_t ahead_us = 0;
  for (const auto& [id, node] : lister_.listing().nodes)
    if (std::abs(node.clock_ahead_us) > std::abs(ahead_us)) ahead_us = node.clock_ahead_us;
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
          .clock_ahead_us = ahead_us};
}

std::optional<MapChange> Core::PlanRebalance() const {
  if (map_.map() == nullptr || lister_.listing().revision == 0) return std::nullopt;
  return NextMap(*map_.map(), lister_.listing(), {}, /*may_move=*/true,
                 /*tag=*/1, settings_.faults);
}

}  // namespace ferrite::cluster
