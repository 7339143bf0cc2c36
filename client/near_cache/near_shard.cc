#include "client/near_cache/near_shard.h"

#include <algorithm>
#include <utility>

namespace ferrite {

void NearShard::LimitTo(size_t max_bytes) {
  const SpinLock lock(&mutex_);
  max_bytes_ = max_bytes;
}

NearEntry NearShard::Find(const HashedKey& key, int64_t now_ns) {
  const SpinLock lock(&mutex_);
  entries_.prefetch(key);  // what the search comes to last is asked for first
  const auto place = entries_.find(key);
  if (place == entries_.end() || now_ns >= (*place)->expires_at_ns()) return NearEntry();
  ++stats_.hits;
  (*place)->GiveAway();
  return NearEntry(*place);
}

std::shared_ptr<Fill> NearShard::JoinOrBegin(const HashedKey& key, int64_t now_ns,
                                             int64_t oldest_ns, Callback<NearEntry> done) {
  const SpinLock lock(&mutex_);
  const auto current = fills_.find(key);
  if (current != fills_.end()) {
    Fill& fill = **current;
    if (fill.floor_ == 0 && fill.sent_ns() >= oldest_ns) {
      ++stats_.joined;
      fill.waiting_.push_back(std::move(done));
      return nullptr;
    }
    fills_.erase(current);
  }
  ++stats_.misses;
  auto fill = std::make_shared<Fill>(key.key, now_ns);
  fill->waiting_.push_back(std::move(done));
  fills_.insert(fill);
  return fill;
}

std::vector<Callback<NearEntry>> NearShard::End(const HashedKey& key, Fill& fill,
                                                const std::optional<NearEntry>& answer) {
  const SpinLock lock(&mutex_);
  const auto current = fills_.find(key);
  const bool is_current = current != fills_.end() && current->get() == &fill;
  if (is_current) fills_.erase(current);
  if (answer.has_value() && !answer->found()) InvalidateLocked(key);
  if (answer.has_value() && answer->found()) {
    RaiseFloorLocked(key, answer->version());
    if (keep_ && is_current && answer->version() >= fill.floor_) {
      Keep(key, answer->entry_);
    } else {
      ++stats_.refusals;
    }
  }
  return std::move(fill.waiting_);
}

void NearShard::RaiseFloor(const HashedKey& key, uint64_t floor) {
  const SpinLock lock(&mutex_);
  RaiseFloorLocked(key, floor);
}

void NearShard::Invalidate(const HashedKey& key) {
  const SpinLock lock(&mutex_);
  InvalidateLocked(key);
}

void NearShard::Flush(bool keep) {
  Entries dropped;
  {
    const SpinLock lock(&mutex_);
    keep_ = keep;
    fills_.clear();
    for (HeldEntry* const entry : entries_) entry->Unlink();
    dropped.swap(entries_);
    stats_.entries = stats_.bytes = 0;
  }
  // Nobody finds these any more: what it takes to free them need not keep the lock.
  for (HeldEntry* const entry : dropped) entry->LeaveShard();
}

void NearShard::AddTo(NearCacheStats* stats) {
  const SpinLock lock(&mutex_);
  stats->hits += stats_.hits;
  stats->misses += stats_.misses;
  stats->joined += stats_.joined;
  stats->invalidations += stats_.invalidations;
  stats->refusals += stats_.refusals;
  stats->evictions += stats_.evictions;
  stats->entries += stats_.entries;
  stats->bytes += stats_.bytes;
}

void NearShard::RaiseFloorLocked(const HashedKey& key, uint64_t floor) {
  if (const auto current = fills_.find(key); current != fills_.end()) {
    (*current)->floor_ = std::max((*current)->floor_, floor);
  }
  const auto place = entries_.find(key);
  if (place == entries_.end() || (*place)->version() >= floor) return;
  ++stats_.invalidations;
  Drop(place);
}

void NearShard::InvalidateLocked(const HashedKey& key) {
  fills_.erase(key);
  const auto place = entries_.find(key);
  if (place == entries_.end()) return;
  ++stats_.invalidations;
  Drop(place);
}

void NearShard::Keep(const HashedKey& key, HeldEntry* entry) {
  if (const auto place = entries_.find(key); place != entries_.end()) {
    if ((*place)->version() > entry->version()) return;
    Drop(place);  // the same version may have got another time to live
  }
  if (entry->memory_bytes() > max_bytes_) return;
  entry->EnterShard();
  entries_.insert(entry);
  queue_.Append(entry);
  ++stats_.entries;
  stats_.bytes += entry->memory_bytes();
  EvictExcess();
}

void NearShard::Drop(Entries::iterator place) {
  HeldEntry* const entry = *place;
  --stats_.entries;
  stats_.bytes -= entry->memory_bytes();
  entries_.erase(place);
  entry->Unlink();
  entry->LeaveShard();
}

void NearShard::EvictExcess() {
  while (stats_.bytes > max_bytes_) {
    auto* const next = static_cast<HeldEntry*>(queue_.next());
    if (next->TakeUsed()) {
      next->Unlink();
      queue_.Append(next);
      continue;
    }
    ++stats_.evictions;
    Drop(entries_.find(HashedKey(next->key())));
  }
}

}  // namespace ferrite
