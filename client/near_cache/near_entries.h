#pragma once

// What a near cache holds, and when it may answer from it. It knows no connection and no clock: the
// events and the time come in from outside.
//
// Two promises: a read sees every write that was acknowledged more than max_staleness before the
// read began, and reads of one key through one near cache never go back. Why they hold:
//
// An entry that is kept learns of whatever ends it. The fill of a miss is registered (near_shard.h)
// before its request leaves. Let a write of the key happen on the server. If the answer to the
// request reflects it, nothing is wrong. If not, the server took up the request before the write,
// so the write's event was recorded after the fill had been registered, and it is still to come.
// Either it finds the entry kept and drops it, as the entry's version is lower; or it comes before
// the answer and raises the floor of the fill, and the answer is refused. Versions never go back,
// not even across a deletion, so comparing them is enough: after a write with version v nothing
// below v is kept, after a deletion of v nothing up to v. This needs every event to come. So
// nothing is kept before the first acknowledgement, and where events may be missing (a
// Discontinuity, an acknowledgement that is not `resumed`) the entries are dropped and the fills
// under way are forgotten, which refuses their answers. A stream that broke and was resumed has
// only been slow.
//
// Probes bound the age. Nothing limits how long an event is under way, and a heartbeat does not say
// when it was sent. So the near cache publishes probes to a channel that only it uses, on the same
// subscription; each carries the time at which it was sent, by the near cache's own clock. The
// event of a write that was acknowledged before the probe was sent was recorded before the probe,
// and a subscription delivers in the order of recording, or in a cluster sees to it that a probe
// comes last (SubscribeRequest.probe_channel). So when the probe comes back, the write has been
// applied here. A hit is answered only until max_staleness after the newest probe that
// came back was sent, by the clock as the read begins; otherwise the read is a call. This is why
// the subscription does not use SLOW_CONSUMER_POLICY_COALESCE: a newer event of a key, behind the
// probe, could then stand for an older one before it.
//
// In a cluster the node that answers a read is not the one that the subscription goes through, and
// slots change their owners. Let a read be answered by an owner that the stream does not follow
// yet, so that nothing tells of a write that comes after it. Then no probe that was sent after that
// write comes back before the owner is followed, as a probe waits for what all owners had recorded
// before; and a Discontinuity comes before the first event of an owner that is followed late, so
// that the entry is dropped before it is vouched for. What a lost node held is dropped in the same
// way.
//
// Answers are events, too. An answer raises floors as the event of a write of its version does, and
// a miss as a deletion does. A miss joins a call that is under way only if nothing newer is known
// of the key and that call was sent within max_staleness. So no read is handed something older than
// an earlier read was, however calls overtake one another.
//
// A time to live counts from the moment the request was sent, which can only be too early. Touch
// has no events: an entry whose time to live is shortened elsewhere may live on here until its old
// one is over or EXPIRE is told.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/callback.h"
#include "client/near_cache/freshness.h"
#include "client/near_cache/near_shard.h"
#include "ferrite/v1/cache.pb.h"

namespace ferrite {

// The entry that the server returned, or a miss. `sent_ns`: when the request was sent, or earlier;
// the time to live counts from then.
NearEntry EntryOf(std::string_view key, const v1::GetResponse& response, int64_t sent_ns);

// Thread-safe, except that events must be applied one at a time and in their order. Times are in
// nanoseconds of one steady clock.
class NearEntries {
 public:
  NearEntries(size_t max_bytes, absl::Duration max_staleness);

  // An entry that was current max_staleness before `now_ns` or later. On a miss, ask the server.
  NearEntry Find(std::string_view key, int64_t now_ns) {
    if (!freshness_.HoldsAt(now_ns)) return NearEntry();
    const HashedKey hashed(key);
    return ShardOf(hashed).Find(hashed, now_ns);
  }

  // After a miss. Null if a call to the server that is under way will answer `done`; otherwise the
  // caller must send a request now and pass its outcome to End.
  std::shared_ptr<Fill> JoinOrBegin(std::string_view key, int64_t now_ns, Callback<NearEntry> done);
  // Passes the outcome to every read that waits for it.
  void End(Fill& fill, const absl::StatusOr<v1::GetResponse>& outcome);

  // Drops the entry and refuses answers that are on their way: later reads return what the server
  // has now, or something newer.
  void Invalidate(std::string_view key);

  // The events of the subscription. Nothing is kept before the first Restart.
  // Events may have been missed.
  void Restart();
  // No events will come any more.
  void Stop();
  void Apply(const v1::KeyEvent& event);
  // The probe that was sent at `sent_ns` has come back, and so has every event before it.
  void ProbeCameBack(int64_t sent_ns) { freshness_.AppliedAsOf(sent_ns); }

  NearCacheStats stats();

 private:
  NearShard& ShardOf(const HashedKey& key) {
    // The table of a shard uses the lower bits.
    return shards_[key.hash >> kShardShift & (shards_.size() - 1)];
  }
  void Flush(bool keep);

  static constexpr int kShardShift = 48;

  Freshness freshness_;
  std::vector<NearShard> shards_;  // their number is a power of two
  std::atomic<uint64_t> stale_{0};
  std::atomic<uint64_t> flushes_{0};
};

}  // namespace ferrite
