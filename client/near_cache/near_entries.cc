#include "client/near_cache/near_entries.h"

#include <limits>
#include <optional>
#include <utility>

namespace ferrite {
namespace {

// With this many shards threads seldom contend for one. A shard must have room for large values,
// too.
constexpr size_t kMaxShards = 64;
constexpr size_t kMinShardBytes = size_t{2} << 20;

size_t ShardCount(size_t max_bytes) {
  size_t count = 1;
  while (count < kMaxShards && max_bytes / (count * 2) >= kMinShardBytes) count *= 2;
  return count;
}

int64_t ExpiresAtNs(const v1::GetResponse& response, int64_t sent_ns) {
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  if (!response.has_ttl_ms()) return kNever;
  int64_t at_ns;
  if (__builtin_mul_overflow(response.ttl_ms(), int64_t{1'000'000}, &at_ns) ||
      __builtin_add_overflow(at_ns, sent_ns, &at_ns)) {
    return kNever;
  }
  return at_ns;
}

// The lowest version that the key can have after the event.
uint64_t FloorOf(const v1::KeyEvent& event) {
  switch (event.kind()) {
    case v1::KEY_EVENT_KIND_SET:
    case v1::KEY_EVENT_KIND_INCR:
      return event.version();
    default:  // the entry with this version is gone, for whatever reason
      return event.version() + 1;
  }
}

}  // namespace

NearEntry EntryOf(std::string_view key, const v1::GetResponse& response, int64_t sent_ns) {
  if (!response.found()) return NearEntry();
  return NearEntry(
      HeldEntry::New(key, response.value(), response.version(), ExpiresAtNs(response, sent_ns)));
}

NearEntries::NearEntries(size_t max_bytes, absl::Duration max_staleness)
    : freshness_(max_staleness), shards_(ShardCount(max_bytes)) {
  for (NearShard& shard : shards_) shard.LimitTo(max_bytes / shards_.size());
}

std::shared_ptr<Fill> NearEntries::JoinOrBegin(std::string_view key, int64_t now_ns,
                                               Callback<NearEntry> done) {
  if (!freshness_.HoldsAt(now_ns)) stale_.fetch_add(1, std::memory_order_relaxed);
  const HashedKey hashed(key);
  return ShardOf(hashed).JoinOrBegin(hashed, now_ns, now_ns - freshness_.max_staleness_ns(),
                                     std::move(done));
}

void NearEntries::End(Fill& fill, const absl::StatusOr<v1::GetResponse>& outcome) {
  std::optional<NearEntry> answer;
  if (outcome.ok()) answer = EntryOf(fill.key(), *outcome, fill.sent_ns());
  const HashedKey hashed(fill.key());
  for (Callback<NearEntry>& done : ShardOf(hashed).End(hashed, fill, answer)) {
    answer.has_value() ? done(*answer) : done(outcome.status());
  }
}

void NearEntries::Invalidate(std::string_view key) {
  const HashedKey hashed(key);
  ShardOf(hashed).Invalidate(hashed);
}

void NearEntries::Restart() { Flush(true); }
void NearEntries::Stop() { Flush(false); }

void NearEntries::Flush(bool keep) {
  flushes_.fetch_add(1, std::memory_order_relaxed);
  for (NearShard& shard : shards_) shard.Flush(keep);
}

void NearEntries::Apply(const v1::KeyEvent& event) {
  const HashedKey hashed(event.key());
  ShardOf(hashed).RaiseFloor(hashed, FloorOf(event));
}

NearCacheStats NearEntries::stats() {
  NearCacheStats stats;
  stats.stale = stale_.load(std::memory_order_relaxed);
  stats.flushes = flushes_.load(std::memory_order_relaxed);
  for (NearShard& shard : shards_) shard.AddTo(&stats);
  return stats;
}

}  // namespace ferrite
