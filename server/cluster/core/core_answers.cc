// What answers of etcd mean for the parts of the core.

#include <utility>

#include "server/cluster/core/core.h"
#include "server/cluster/core/txn.h"

namespace ferrite::cluster {

using etcdserverpb::TxnResponse;

namespace {

// Answers that a node has to get one after the other from an etcd that is not what it was, before
// it gives up. Meanwhile it serves nothing.
constexpr int kMaxDoubts = 3;

EtcdReply Unknown(const EtcdReply& reply) {
  return {.call = reply.call, .outcome = EtcdReply::Outcome::kUnknown};
}

}  // namespace

void Core::On(const EtcdReply& reply) {
  const std::optional<SentCall> call = calls_.Take(reply.call);
  if (!call || foreign_ || left_) return;
  if (reply.outcome == EtcdReply::Outcome::kAnswered) answered_ns_ = now_.steady_ns;
  const EtcdReply unknown = Unknown(reply);  // by a name: a temporary would have the reply copied
  switch (call->purpose) {
    case Purpose::kGrantLease:
      lease_.OnGrant(reply, now_, &jitter_);
      break;
    case Purpose::kKeepLease:
      if (renewal_.OnKeepAlive(reply, now_, &jitter_)) LoseLease();
      break;
    case Purpose::kRenew:
      OnRenewal(TakeMap(*call, reply) ? reply : unknown);
      break;
    case Purpose::kList:
      OnList(TakeMap(*call, reply) ? reply : unknown);
      break;
    case Purpose::kRegister: {
      const int64_t before = registrar_.create_revision();
      registrar_.OnRegister(TakeHeader(*call, reply) ? reply : unknown, now_, &lease_, &ceiling_,
                            &jitter_);
      if (registrar_.create_revision() != before) {
        renewal_.Abandon();
        renewal_.Hasten();
      }
      break;
    }
    case Purpose::kUpdateRecord:
      registrar_.OnUpdate(TakeHeader(*call, reply) ? reply : unknown, now_, &jitter_);
      break;
    case Purpose::kCampaign:
      if (elector_.OnCampaign(TakeHeader(*call, reply) ? reply : unknown))
        lister_.Hasten(now_.steady_ns);
      break;
    case Purpose::kChangeMap:
      OnChange(*call, TakeHeader(*call, reply) ? reply : unknown);
      break;
    case Purpose::kCollect:
      lister_.Hasten(now_.steady_ns + jitter_.RetryDelayNs());
      break;
    case Purpose::kResign:
    case Purpose::kRevokeLease:
      break;
  }
}

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
  const MapKeeper::Verdict verdict = map_.Take(*reading, call.epoch);
  if (verdict == MapKeeper::Verdict::kDoubtful) {
    Doubt(map_.trouble());
    return false;
  }
  doubts_ = 0;
  Accept(verdict);
  return true;
}

void Core::Accept(MapKeeper::Verdict verdict) {
  if (verdict != MapKeeper::Verdict::kNewer && verdict != MapKeeper::Verdict::kUnreadable) return;
  view_is_old_ = true;
  calls_.Know(0, map_.epoch());
  owns_slots_ = false;
  releasing_since_ = 0;
  if (map_.map() == nullptr) return;
  ListingWalk walk(lister_.listing());
  for (const auto& member : map_.map()->members()) {
    // Somebody new, who can be reached only when it is known where.
    if (walk.Living(member.node_id(), member.boot_id()) == nullptr) lister_.Hasten(now_.steady_ns);
  }
  for (const Holdings::Owned& owned : view_maker_.OwnedBy(*map_.map())) {
    owns_slots_ = true;
    releasing_since_ = std::max(releasing_since_, owned.releasing_since);
  }
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
  const Lister::Finding finding = lister_.OnList(reply, reading, now_, &jitter_);
  if (finding == Lister::Finding::kNothing) return;
  if (lister_.nodes_changed()) view_is_old_ = true;
  if (finding == Lister::Finding::kComplete) OnListing();
}

void Core::OnListing() {
  const Listing& listing = lister_.listing();
  const auto own = listing.nodes.find(settings_.self.node_id());
  registrar_.Saw(own == listing.nodes.end() ? nullptr : &own->second, listing.revision);
  elector_.Observe(listing, now_, &jitter_);
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

}  // namespace ferrite::cluster
