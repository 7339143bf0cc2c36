#include "server/cluster/core/lease.h"

namespace ferrite::cluster {

void Lease::Advance(const Moment& now, Calls* calls, Jitter* jitter) {
  if (now.steady_ns < due_ns()) return;
  // An id of our own, and another for each try: what an unanswered try has granted ends by itself.
  asked_id_ = jitter->NextId();
  etcdserverpb::LeaseGrantRequest request;
  request.set_id(asked_id_);
  request.set_ttl(settings_.serving_ttl_ms / 1000);
  calls->Send(Purpose::kGrantLease, std::move(request));
}

void Lease::OnGrant(const EtcdReply& reply, const Moment& now, Jitter* jitter) {
  const auto* granted = std::get_if<etcdserverpb::LeaseGrantResponse>(&reply.response);
  if (reply.outcome == EtcdReply::Outcome::kAnswered && granted != nullptr &&
      granted->id() == asked_id_) {
    if (id_ == 0) id_ = asked_id_;
  } else {
    retry_ns_ = now.steady_ns + jitter->RetryDelayNs();
  }
  asked_id_ = 0;
}

}  // namespace ferrite::cluster
