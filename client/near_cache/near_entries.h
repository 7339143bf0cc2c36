#pragma once

// What a near cache holds, and when it may answer from it. Knows nothing of connections and clocks:
// others tell it what happens and what time it is. ARCHITECTURE.md gives the argument why what it
// answers is right.

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

// The entry that the server answered with, or a miss. `sent_ns`: not later than the request was
// sent, which is when the time to live can have begun at the earliest.
NearEntry EntryOf(std::string_view key, const v1::GetResponse& response, int64_t sent_ns);

// Thread-safe, but that events are to be told one at a time and in their order. Times are in
// nanoseconds of any steady clock, but always the same.
class NearEntries {
 public:
  NearEntries(size_t max_bytes, absl::Duration max_staleness);

  // An entry that was right max_staleness before `now_ns` or later; a miss: ask the server.
  NearEntry Find(std::string_view key, int64_t now_ns) {
    if (!freshness_.HoldsAt(now_ns)) return NearEntry();
    const HashedKey hashed(key);
    return ShardOf(hashed).Find(hashed, now_ns);
  }

  // After a miss: null if a call to the server that is under way will answer `done`; else the
  // caller is to send a request, now, and to hand what comes of it to End.
  std::shared_ptr<Fill> JoinOrBegin(std::string_view key, int64_t now_ns, Callback<NearEntry> done);
  // Hands the outcome to all who waited for it.
  void End(Fill& fill, const absl::StatusOr<v1::GetResponse>& outcome);

  // Drops the entry, and refuses what is on its way: who asks from now on gets what the server
  // knows from now on.
  void Invalidate(std::string_view key);

  // The events of the subscription. Nothing is kept before the first Restart.
  // Events may have been missed.
  void Restart();
  // No events will come any more.
  void Stop();
  void Apply(const v1::KeyEvent& event);
  // What was sent at `sent_ns` has come back: so has all that had happened before.
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
