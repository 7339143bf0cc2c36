#pragma once

// The lease on which the node's keys are. It is there for the others to see soon that the node is
// gone; nobody's right to serve depends on it.

#include <cstdint>

#include "server/cluster/core/calls.h"
#include "server/cluster/core/event.h"
#include "server/cluster/core/jitter.h"
#include "server/cluster/core/settings.h"

namespace ferrite::cluster {

class Lease {
 public:
  explicit Lease(const CoreSettings& settings) : settings_(settings) {}

  // Asks for a lease if there is none.
  void Advance(const Moment& now, Calls* calls, Jitter* jitter);
  void OnGrant(const EtcdReply& reply, const Moment& now, Jitter* jitter);

  // It is over, or etcd does not know it.
  void Lost() { id_ = 0; }
  // The node key turned out to be on this one.
  void Adopt(int64_t id) { id_ = id; }

  int64_t id() const { return id_; }  // 0: none
  int64_t due_ns() const { return id_ != 0 || asked_id_ != 0 ? kNever : retry_ns_; }

 private:
  const CoreSettings& settings_;
  int64_t id_ = 0;
  int64_t asked_id_ = 0;  // not 0: asked for, no answer yet
  int64_t retry_ns_ = 0;
};

}  // namespace ferrite::cluster
