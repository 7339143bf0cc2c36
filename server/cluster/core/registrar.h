#pragma once

// The node key: what this node says of itself, on its lease.
//
// Every write of it compares what is there, so that none can take effect late, or twice: a call
// whose end is not known is simply made again, and either succeeds or reads what there is.

#include <cstdint>
#include <optional>
#include <string>

#include "ferrite/internal/v1/node_record.pb.h"
#include "server/cluster/core/calls.h"
#include "server/cluster/core/ceiling.h"
#include "server/cluster/core/event.h"
#include "server/cluster/core/jitter.h"
#include "server/cluster/core/lease.h"
#include "server/cluster/core/listing.h"
#include "server/cluster/core/settings.h"
#include "server/cluster/keys.h"

namespace ferrite::cluster {

class Registrar {
 public:
  Registrar(const CoreSettings& settings, const Keys& keys);

  // What the record is to say from now on.
  void SetDraining(bool draining) { wanted_.set_draining(draining); }
  void SetReleased(uint64_t generation, uint64_t version);
  uint64_t released_generation() const { return wanted_.released_generation(); }

  // Writes the key if it is not there, or not as wanted.
  void Advance(const Moment& now, const Lease& lease, const Ceiling& ceiling, Calls* calls);
  void OnRegister(const EtcdReply& reply, const Moment& now, Lease* lease, Ceiling* ceiling,
                  Jitter* jitter);
  void OnUpdate(const EtcdReply& reply, const Moment& now, Jitter* jitter);

  // What was listed under the node key in this revision; null: it is not there. It may be older
  // than what is known here.
  void Saw(const ListedNode* listed, int64_t revision);
  // The key is not there as it was.
  void Lost() { create_revision_ = 0; }

  // In which revision the key came into being; 0: it is not known to be there.
  int64_t create_revision() const { return create_revision_; }
  // In which it was written last.
  int64_t mod_revision() const { return mod_revision_; }
  // As it was written last it says what this process has written, as far as is known. Else others
  // may take its owner for gone, and it must not count as a proof of the opposite.
  bool is_own() const { return written_.has_value(); }
  // It is there as wanted, as far as is known.
  bool is_written() const;
  // Who has this node's id, in words; empty: nobody else.
  const std::string& taken_by() const { return taken_by_; }
  int64_t due_ns(const Lease& lease) const;

 private:
  void Adopt(const mvccpb::KeyValue& kv, const internal::v1::NodeRecord& record);
  std::string Record(const Moment& now);

  const CoreSettings& settings_;
  const Keys& keys_;
  const std::string key_;
  internal::v1::NodeRecord wanted_;
  std::optional<internal::v1::NodeRecord> written_;  // absent: not known
  internal::v1::NodeRecord sent_;
  internal::v1::VersionCeiling sent_ceiling_;
  uint64_t call_ = 0;  // under way; 0: none
  int64_t create_revision_ = 0;
  int64_t mod_revision_ = 0;
  int64_t lease_ = 0;  // that the key is on
  int64_t retry_ns_ = 0;
  std::string taken_by_;
};

}  // namespace ferrite::cluster
