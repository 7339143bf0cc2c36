#pragma once

// How long this node may serve.
//
// A renewal keeps the lease and, at the same time, reads by a transaction that the node key is
// there as this node made it, together with the newest map. When both have succeeded the node may
// serve until a ttl, less a margin, after both were *sent*. Whoever takes slots from a node waits
// for a ttl after it has seen the node key gone, so no renewal that this node counts by was sent
// later than that; and one that succeeds after the slots were given away has read the map that says
// so. The lease only makes the key vanish: safety does not rest on etcd's measuring of time.

#include <cstdint>
#include <optional>

#include "server/cluster/core/calls.h"
#include "server/cluster/core/ceiling.h"
#include "server/cluster/core/event.h"
#include "server/cluster/core/jitter.h"
#include "server/cluster/core/listing.h"
#include "server/cluster/core/settings.h"
#include "server/cluster/keys.h"

namespace ferrite::cluster {

class Renewal {
 public:
  Renewal(const CoreSettings& settings, const Keys& keys);

  struct Inputs {
    int64_t lease;            // 0: none
    int64_t create_revision;  // of the node key; 0: not registered
    int64_t mod_revision;     // likewise
    int64_t read_epoch;       // of the newest map that was read
  };

  // Begins one if it is time.
  void Advance(const Moment& now, const Inputs& inputs, const Ceiling& ceiling, Calls* calls);
  // The next one begins as soon as this one has ended.
  void Hasten() { due_ns_ = 0; }
  // A new lease or key: nothing of what is under way counts.
  void Abandon() { round_.reset(); }
  // The right is over.
  void Withdraw() {
    end_ns_ = 0;
    Abandon();
  }

  // Returns whether the lease is gone.
  bool OnKeepAlive(const EtcdReply& reply, const Moment& now, Jitter* jitter);

  // What the transaction has found, whose reading of the map has been looked at already.
  enum class Finding {
    kNothing,      // no answer, or none that can be read
    kRenewed,      // the key is there
    kKeyGone,      // it is not, or is another's
    kKeyElse,      // it is, but was written anew: once more, when that is known
    kCeilingElse,  // it is, but the ceiling was written by somebody else: once more
  };
  Finding OnTxn(const EtcdReply& reply, const Moment& now, Ceiling* ceiling, Jitter* jitter);

  // What kKeyElse has found.
  const ListedNode& found() const { return found_; }

  // When the node must stop serving; 0: it must not serve.
  int64_t end_ns() const { return end_ns_; }
  int64_t due_ns(const Inputs& inputs) const;

 private:
  struct Round {
    int64_t sent_ns;
    uint64_t keepalive;  // the call; 0: has succeeded
    uint64_t txn;        // likewise
    bool with_ceiling;
    internal::v1::VersionCeiling ceiling;
    Inputs inputs;
  };

  void Succeed(const Moment& now);
  void Fail(const Moment& now, Jitter* jitter);

  const CoreSettings& settings_;
  const Keys& keys_;
  std::optional<Round> round_;
  ListedNode found_;
  int64_t due_ns_ = 0;
  int64_t end_ns_ = 0;
};

}  // namespace ferrite::cluster
