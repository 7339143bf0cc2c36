#pragma once

// Who changes the map: the one who holds the key /ferrite/<cluster>/controller. It spares the
// others the work; that two do it at once does no harm.

#include <cstdint>

#include "server/cluster/core/calls.h"
#include "server/cluster/core/event.h"
#include "server/cluster/core/jitter.h"
#include "server/cluster/core/listing.h"
#include "server/cluster/core/settings.h"
#include "server/cluster/keys.h"

namespace ferrite::cluster {

class Elector {
 public:
  Elector(const CoreSettings& settings, const Keys& keys) : settings_(settings), keys_(keys) {}

  // What was listed. `can_act`: whether this node could change the map.
  void Observe(const Listing& listing, const Moment& now, Jitter* jitter);
  // Takes the key if nobody has it; or gives it back if this node cannot act.
  void Advance(const Moment& now, bool can_act, int64_t lease, int64_t node_create_revision,
               Calls* calls);
  // Returns whether this node has the key from now on.
  bool OnCampaign(const EtcdReply& reply);

  bool is_controller() const { return create_revision_ != 0; }
  // In which revision this node has taken the key.
  int64_t create_revision() const { return create_revision_; }
  int64_t due_ns() const { return due_ns_; }

 private:
  const CoreSettings& settings_;
  const Keys& keys_;
  int64_t create_revision_ = 0;
  uint64_t call_ = 0;
  int64_t due_ns_ = kNever;
};

}  // namespace ferrite::cluster
