#include "server/cluster/core/registrar.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "server/cluster/core/txn.h"
#include "server/cluster/node_record.h"

namespace ferrite::cluster {

using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;
using internal::v1::NodeRecord;

Registrar::Registrar(const CoreSettings& settings, const Keys& keys)
    : settings_(settings),
      keys_(keys),
      key_(keys.Node(settings.self.node_id())),
      wanted_(settings.self) {}

void Registrar::SetReleased(uint64_t generation, uint64_t version) {
  wanted_.set_released_generation(generation);
  wanted_.set_released_version(version);
}

bool Registrar::is_written() const {
  return written_ && written_->draining() == wanted_.draining() &&
         written_->released_generation() == wanted_.released_generation() &&
         written_->address() == wanted_.address();
}

int64_t Registrar::due_ns(const Lease& lease) const {
  if (call_ != 0 || lease.id() == 0) return kNever;
  return create_revision_ == 0 || !is_written() ? retry_ns_ : kNever;
}

std::string Registrar::Record(const Moment& now) {
  sent_ = wanted_;
  sent_.set_written_at_unix_us(now.wall_us);
  return sent_.SerializeAsString();
}

void Registrar::Advance(const Moment& now, const Lease& lease, const Ceiling& ceiling,
                        Calls* calls) {
  if (now.steady_ns < due_ns(lease)) return;
  TxnRequest request;
  if (create_revision_ != 0) {
    *request.add_compare() = CreatedAt(key_, create_revision_);
    *request.add_compare() = ModifiedAt(key_, mod_revision_);
    *request.add_success() = Put(key_, Record(now), lease_);
    *request.add_failure() = Get(key_);
    call_ = calls->Send(Purpose::kUpdateRecord, std::move(request));
    return;
  }
  // The ceiling changes with each registration: whoever waits for this node to stay away sees by it
  // that it was back.
  const std::string ceiling_key = keys_.Ceiling(settings_.self.node_id());
  sent_ceiling_ = ceiling.Next();
  lease_ = lease.id();
  *request.add_compare() = CreatedAt(key_, 0);
  *request.add_compare() = ModifiedAt(ceiling_key, ceiling.revision());
  *request.add_success() = Put(key_, Record(now), lease_);
  *request.add_success() = Put(ceiling_key, sent_ceiling_.SerializeAsString());
  *request.add_failure() = Get(key_);
  *request.add_failure() = Get(ceiling_key);
  call_ = calls->Send(Purpose::kRegister, std::move(request));
}

void Registrar::OnRegister(const EtcdReply& reply, const Moment& now, Lease* lease,
                           Ceiling* ceiling, Jitter* jitter) {
  if (reply.call != call_) return;
  call_ = 0;
  retry_ns_ = now.steady_ns + jitter->RetryDelayNs();
  // etcd refuses a key on a lease that is gone.
  if (reply.outcome == EtcdReply::Outcome::kNotExecuted) lease->Lost();
  const auto* response = std::get_if<TxnResponse>(&reply.response);
  if (response == nullptr) return;
  if (response->succeeded()) {
    create_revision_ = mod_revision_ = response->header().revision();
    written_ = sent_;
    taken_by_.clear();
    ceiling->Written(sent_ceiling_, response->header().revision());
    return;
  }
  const Gotten node = GetAt(*response, 0, key_);
  const Gotten found = GetAt(*response, 1, keys_.Ceiling(settings_.self.node_id()));
  if (!node.valid || !found.valid) return;
  ceiling->Found(found.kv);
  if (node.kv == nullptr) {
    retry_ns_ = now.steady_ns;
    return;
  }
  const auto record = ParseNodeRecord(settings_.self.node_id(), node.kv->value());
  if (record.ok() && record->boot_id() == settings_.self.boot_id()) {
    // An earlier call was executed after all.
    Adopt(*node.kv, *record);
    lease->Adopt(lease_);
    return;
  }
  taken_by_ = absl::StrFormat(
      "another process has the node id %s: boot id %x at %s%s; it may be the one before this, "
      "whose "
      "lease runs out",
      settings_.self.node_id(), record.ok() ? record->boot_id() : 0,
      record.ok() ? record->address() : "an address that cannot be read",
      node.kv->lease() == 0 ? ", without a lease: delete its key by hand" : "");
}

void Registrar::Adopt(const mvccpb::KeyValue& kv, const NodeRecord& record) {
  create_revision_ = kv.create_revision();
  mod_revision_ = kv.mod_revision();
  // On another lease than it should be, it would stay when this node goes.
  lease_ = kv.lease() != 0 ? kv.lease() : lease_;
  written_.reset();
  if (kv.lease() != 0) written_ = record;
  taken_by_.clear();
}

void Registrar::OnUpdate(const EtcdReply& reply, const Moment& now, Jitter* jitter) {
  if (reply.call != call_) return;
  call_ = 0;
  retry_ns_ = now.steady_ns + jitter->RetryDelayNs();
  const auto* response = std::get_if<TxnResponse>(&reply.response);
  if (response == nullptr) return;
  if (response->succeeded()) {
    mod_revision_ = response->header().revision();
    written_ = sent_;
    return;
  }
  const Gotten node = GetAt(*response, 0, key_);
  if (!node.valid) return;
  retry_ns_ = now.steady_ns;
  if (node.kv == nullptr || node.kv->create_revision() != create_revision_) return Lost();
  // An earlier call was executed after all, or somebody else has written: it is written anew.
  mod_revision_ = node.kv->mod_revision();
  written_.reset();
}

void Registrar::Saw(const ListedNode* listed, int64_t revision) {
  if (create_revision_ == 0 || call_ != 0 || revision < mod_revision_) return;
  if (listed == nullptr || listed->create_revision != create_revision_) return Lost();
  if (listed->mod_revision == mod_revision_) return;
  mod_revision_ = listed->mod_revision;
  written_.reset();
}

}  // namespace ferrite::cluster
