#include "server/cluster/core/renewal.h"

#include <algorithm>
#include <utility>

#include "server/cluster/core/txn.h"

namespace ferrite::cluster {

using etcdserverpb::LeaseKeepAliveResponse;
using etcdserverpb::TxnResponse;

namespace {
// Where the failure branch has its answers; the map's reading comes first in both.
constexpr int kNodeAt = 2;
constexpr int kCeilingAt = 3;
}  // namespace

Renewal::Renewal(const CoreSettings& settings, const Keys& keys)
    : settings_(settings), keys_(keys) {}

int64_t Renewal::due_ns(const Inputs& inputs) const {
  return round_ || inputs.lease == 0 || inputs.create_revision == 0 ? kNever : due_ns_;
}

void Renewal::Advance(const Moment& now, const Inputs& inputs, const Ceiling& ceiling,
                      Calls* calls) {
  if (now.steady_ns < due_ns(inputs)) return;
  const std::string node_key = keys_.Node(settings_.self.node_id());
  const std::string ceiling_key = keys_.Ceiling(settings_.self.node_id());
  Round round{.sent_ns = now.steady_ns, .with_ceiling = ceiling.IsDue(), .inputs = inputs};
  due_ns_ = now.steady_ns + settings_.renewal_interval_ns();

  etcdserverpb::LeaseKeepAliveRequest keepalive;
  keepalive.set_id(inputs.lease);
  round.keepalive = calls->Send(Purpose::kKeepLease, std::move(keepalive));

  etcdserverpb::TxnRequest request;
  *request.add_compare() = CreatedAt(node_key, inputs.create_revision);
  *request.add_compare() = ModifiedAt(node_key, inputs.mod_revision);
  AddMapReading(keys_.map(), inputs.read_epoch, &request, /*success=*/true);
  AddMapReading(keys_.map(), inputs.read_epoch, &request, /*success=*/false);
  *request.add_failure() = Get(node_key);
  *request.add_failure() = Get(ceiling_key);
  if (round.with_ceiling) {
    round.ceiling = ceiling.Next();
    *request.add_compare() = ModifiedAt(ceiling_key, ceiling.revision());
    *request.add_success() = Put(ceiling_key, round.ceiling.SerializeAsString());
  }
  round.txn = calls->Send(Purpose::kRenew, std::move(request));
  round_ = round;
}

bool Renewal::OnKeepAlive(const EtcdReply& reply, const Moment& now, Jitter* jitter) {
  if (!round_ || round_->keepalive != reply.call) return false;
  const auto* response = std::get_if<LeaseKeepAliveResponse>(&reply.response);
  if (response == nullptr) {
    Fail(now, jitter);
    return false;
  }
  if (response->ttl() <= 0) return true;
  round_->keepalive = 0;
  if (settings_.faults.keepalive_is_proof) round_->txn = 0;
  Succeed(now);
  return false;
}

Renewal::Finding Renewal::OnTxn(const EtcdReply& reply, const Moment& now, Ceiling* ceiling,
                                Jitter* jitter) {
  if (!round_ || round_->txn != reply.call) return Finding::kNothing;
  const auto* response = std::get_if<TxnResponse>(&reply.response);
  if (response == nullptr) {
    if (settings_.faults.silence_is_consent) {
      round_->txn = round_->keepalive = 0;
      Succeed(now);
    } else {
      Fail(now, jitter);
    }
    return Finding::kNothing;
  }
  if (response->succeeded()) {
    if (round_->with_ceiling) ceiling->Written(round_->ceiling, response->header().revision());
    round_->txn = 0;
    Succeed(now);
    return Finding::kRenewed;
  }
  const Gotten node = GetAt(*response, kNodeAt, keys_.Node(settings_.self.node_id()));
  const Gotten found = GetAt(*response, kCeilingAt, keys_.Ceiling(settings_.self.node_id()));
  const Inputs inputs = round_->inputs;
  Fail(now, jitter);
  if (!node.valid || !found.valid) return Finding::kNothing;
  if (node.kv == nullptr || node.kv->create_revision() != inputs.create_revision)
    return Finding::kKeyGone;
  if (node.kv->mod_revision() != inputs.mod_revision) {
    found_ = {.create_revision = node.kv->create_revision(),
              .mod_revision = node.kv->mod_revision()};
    return Finding::kKeyElse;
  }
  ceiling->Found(found.kv);
  Hasten();
  return Finding::kCeilingElse;
}

void Renewal::Succeed(const Moment& now) {
  if (round_->keepalive != 0 || round_->txn != 0) return;
  const int64_t from_ns = settings_.faults.right_from_answer ? now.steady_ns : round_->sent_ns;
  end_ns_ = std::max(end_ns_, from_ns + settings_.ttl_ns() - settings_.margin_ns());
  round_.reset();
}

void Renewal::Fail(const Moment& now, Jitter* jitter) {
  round_.reset();
  due_ns_ = now.steady_ns + jitter->RetryDelayNs();
}

}  // namespace ferrite::cluster
