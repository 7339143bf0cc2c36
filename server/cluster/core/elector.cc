#include "server/cluster/core/elector.h"

#include <utility>

#include "server/cluster/core/txn.h"

namespace ferrite::cluster {

void Elector::Observe(const Listing& listing, const Moment& now, Jitter* jitter) {
  const bool own = listing.controller.create_revision != 0 &&
                   listing.controller.boot_id == settings_.self.boot_id();
  create_revision_ = own ? listing.controller.create_revision : 0;
  if (listing.controller.create_revision != 0) {
    due_ns_ = kNever;
  } else if (due_ns_ == kNever && call_ == 0) {
    // Not all of a thousand nodes at once.
    const auto nodes = static_cast<int64_t>(listing.nodes.size());
    due_ns_ = now.steady_ns + jitter->Between(0, 1 + nodes * kNsPerMs);
  }
}

void Elector::Advance(const Moment& now, bool can_act, int64_t lease, int64_t node_create_revision,
                      Calls* calls) {
  if (is_controller() && !can_act) {
    etcdserverpb::TxnRequest request;
    *request.add_compare() = CreatedAt(keys_.controller(), create_revision_);
    *request.add_success() = Delete(keys_.controller());
    calls->Send(Purpose::kResign, std::move(request));
    create_revision_ = 0;
    return;
  }
  if (!can_act || lease == 0 || node_create_revision == 0 || now.steady_ns < due_ns_) return;
  due_ns_ = kNever;
  internal::v1::ControllerRecord record;
  record.set_node_id(settings_.self.node_id());
  record.set_boot_id(settings_.self.boot_id());
  etcdserverpb::TxnRequest request;
  *request.add_compare() = CreatedAt(keys_.controller(), 0);
  *request.add_compare() = CreatedAt(keys_.Node(record.node_id()), node_create_revision);
  *request.add_success() = Put(keys_.controller(), record.SerializeAsString(), lease);
  call_ = calls->Send(Purpose::kCampaign, std::move(request));
}

bool Elector::OnCampaign(const EtcdReply& reply) {
  if (reply.call != call_) return false;
  call_ = 0;
  const auto* response = std::get_if<etcdserverpb::TxnResponse>(&reply.response);
  if (response == nullptr || !response->succeeded()) return false;
  create_revision_ = response->header().revision();
  return true;
}

}  // namespace ferrite::cluster
