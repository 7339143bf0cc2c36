#pragma once

#include <cstddef>
#include <cstdint>

#include "store/calls/store_state.h"

namespace ferrite {

// Makes room in the whole store by evicting: from one shard first, and from the others where that
// has nothing left. Which entry goes is each shard's own choice (Shard::EvictOne, EvictPage).
//
// No write pays for all others. It goes on once it has freed as much as it takes, even if another
// thread was faster to use it or the memory is not in one piece yet; and once it has evicted as
// many entries as there are of the smallest in what it takes. Memory is above the limit for a while
// then, and the writes that follow, and the sweep, take it back, each a bounded part.
//
// The caller holds no lock. Not thread-safe: one for each call.
class Evictor {
 public:
  Evictor(StoreState* state, Shard* shard) : state_(*state), shard_(shard) {}

  // A slot of the class in the shard, for which at most kEnoughEntries are evicted. Null if that
  // fails.
  void* TakeSlot(uint8_t size_class);
  // Makes room for the block of a value of this size, which is to replace what the key has: that
  // makes room too. False if that fails.
  bool MakeRoomForBlock(size_t value_size, const LocatedKey& key);
  // Evicts some of what is above the limit, if anything is: tables grow, and values outgrow their
  // slots, under locks with which nothing can be evicted.
  void TakeBackExcess();
  // The same for the sweep, whose step takes back more.
  void SweepExcess();

  // One entry while that frees memory or `single` entries suffice, else up to `max_entries` of one
  // page, which any size class can use once it is empty.
  void EvictSome(size_t max_entries);
  // What all calls of EvictSome have done. A call that found nothing to evict counts as an entry,
  // and in `work` the choice of a page as some more; entries take about a microsecond each.
  size_t freed_bytes() const { return freed_bytes_; }
  size_t entries() const { return entries_; }
  size_t work() const { return work_; }
  // Whether the last calls found nothing to evict in any shard.
  bool found_nothing() const { return vain_attempts_ > state_.shards.size(); }
  // Turns to the next shard, unless a page of this one is half empty.
  void TurnToNextShard();

  // What a write evicts at most if it takes little.
  static constexpr size_t kEnoughEntries = 512;

 private:
  void TakeBackExcess(size_t enough_bytes, size_t enough_work);
  template <typename Done>
  bool EvictUntil(size_t enough_bytes, size_t enough_work, Done done);

  StoreState& state_;
  Shard* shard_;
  size_t freed_bytes_ = 0;
  size_t entries_ = 0;
  size_t work_ = 0;
  size_t attempts_ = 0;
  size_t vain_attempts_ = 0;
  int fruitless_ = 0;  // single evictions in a row that have freed no memory
  bool is_within_page_ = false;
};

}  // namespace ferrite
