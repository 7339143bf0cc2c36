#pragma once

// Lists what etcd holds of the cluster, every few seconds, sooner after a hint.
//
// After the first time it asks for node keys that have changed and for the number of all: if that
// is not what it comes to, keys have gone, and it asks for all of them. Of these it reads only what
// has changed, too: where one of a thousand nodes goes, the others need not be looked at.

#include <cstdint>
#include <string>

#include "server/cluster/core/calls.h"
#include "server/cluster/core/event.h"
#include "server/cluster/core/jitter.h"
#include "server/cluster/core/listing.h"
#include "server/cluster/core/txn.h"
#include "server/cluster/keys.h"

namespace ferrite::cluster {

class Lister {
 public:
  explicit Lister(const Keys& keys) : keys_(keys) {}

  // Lists if it is time.
  void Advance(const Moment& now, bool with_ceilings, int64_t read_epoch, Calls* calls,
               Jitter* jitter);
  // Lists at that time at the latest.
  void Hasten(int64_t when_ns) { due_ns_ = std::min(due_ns_, when_ns); }
  // `acts`: whether this node makes changes of the map, for which all that is in records matters.
  void OnHint(const WatchHint& hint, const Moment& now, int64_t epoch, bool acts);
  // The next time all is asked for and read anew, as anything may have happened.
  void DistrustAll() { ask_all_ = distrusts_ = true; }

  enum class Finding {
    kNothing,   // no answer, or none that can be read
    kPartial,   // keys have gone; all are asked for again
    kComplete,  // listing() is of this answer
  };
  // Looks at an answer whose reading of the map is `reading`.
  Finding OnList(const EtcdReply& reply, const MapReading& reading, const Moment& now,
                 Jitter* jitter);
  void OnNoAnswer(const EtcdReply& reply, const Moment& now, Jitter* jitter);
  // Whether a call is this part's, and the last.
  bool Expects(uint64_t call) const { return call == call_; }

  const Listing& listing() const { return listing_; }
  // Why a record could not be read; empty: all could.
  const std::string& trouble() const { return trouble_; }
  // Whose wall clock is off, in words; empty: nobody's.
  const std::string& wrong_clock() const { return wrong_clock_; }
  // How far the clock is ahead that is off by most; below 0: behind.
  int64_t clock_ahead_us() const { return clock_ahead_us_; }
  int64_t due_ns() const { return call_ != 0 ? kNever : due_ns_; }
  // Whether the last answer changed what views show of the nodes.
  bool nodes_changed() const { return nodes_changed_; }

 private:
  void TakeNodes(const etcdserverpb::RangeResponse& range, const Moment& now);
  // What is known, if that is of the same revision.
  bool IsKnown(const ListedNode& known, const mvccpb::KeyValue& kv) const;
  ListedNode NodeOf(const std::string& id, const mvccpb::KeyValue& kv, const Moment& now);
  int64_t ClockAheadUs(int64_t written_at_us, const Moment& now) const;
  void LookAtClocks();
  void TakeCeilings(const etcdserverpb::RangeResponse& range);

  const Keys& keys_;
  Listing listing_;
  uint64_t call_ = 0;
  bool asked_all_ = true;
  bool ask_all_ = true;
  // What is known of a key says nothing of what is read now, not even if its revision is the same.
  bool distrusts_ = true;
  bool asked_with_distrust_ = true;
  bool asked_ceilings_ = false;
  int64_t due_ns_ = 0;
  int64_t last_ns_ = 0;       // when it was asked last
  int64_t last_wall_us_ = 0;  // likewise, for the listing that there is
  int64_t asked_wall_us_ = 0;
  bool nodes_changed_ = false;
  std::string trouble_;
  std::string wrong_clock_;
  int64_t clock_ahead_us_ = 0;
};

}  // namespace ferrite::cluster
