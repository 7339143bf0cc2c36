// The calls of Store that walk all of it.

#include <algorithm>

#include "store/calls/evictor.h"
#include "store/calls/store_state.h"
#include "store/flush_walk.h"
#include "store/store.h"

namespace ferrite {
namespace {

// Each may take milliseconds, and expired entries wait meanwhile for their memory to be taken back.
constexpr int kHugePagesPerStep = 4;

}  // namespace

bool Store::Scan(std::string_view prefix, size_t limit, ScanCursor* cursor,
                 std::vector<ScannedKey>* keys) {
  const uint32_t shard = cursor->shard;
  if (shard >= state_->shards.size()) return false;
  KeyBatch batch;
  if (!state_->shards[shard]->Scan(prefix, limit, &cursor->page, &cursor->slot, &batch)) {
    *cursor = {shard + 1, 0, 0};
  }
  for (size_t i = 0; i < batch.size(); ++i) {
    keys->push_back({std::string(batch[i].bytes), {shard, batch.page(i), batch.slot(i) + 1}});
  }
  return cursor->shard < state_->shards.size();
}

bool Store::Sweep() {
  for (int i = 0; i < kHugePagesPerStep && state_->context.huge.MakeOneHuge(); ++i) {
  }
  Evictor(state_.get(), state_->shards[state_->sweep_shard].get()).SweepExcess();
  if (!state_->shards[state_->sweep_shard]->Sweep(&state_->sweep_page)) {
    state_->sweep_page = 0;
    state_->sweep_shard = (state_->sweep_shard + 1) % state_->shards.size();
    return state_->sweep_shard == 0;
  }
  return false;
}

void Store::RaiseVersionFloor(uint64_t version) {
  for (const auto& shard : state_->shards) shard->RaiseVersionFloor(version);
}

void Store::SetVersionCeiling(uint64_t version) {
  state_->context.version_ceiling.store(version, std::memory_order_relaxed);
}

uint64_t Store::Flush() {
  FlushWalk walk(this);
  while (walk.Step()) {
  }
  return walk.deleted();
}

StoreStats Store::Stats() const {
  StoreStats stats;
  const MemoryBudget& budget = state_->context.budget;
  stats.slot_bytes = budget.slot_bytes;
  stats.block_bytes = budget.block_bytes;
  stats.unused_block_bytes = budget.own_unused_bytes();
  stats.table_bytes = budget.table_bytes;
  stats.eviction_bytes = budget.eviction_bytes;
  stats.reserved_bytes = budget.reserved_bytes;
  stats.limit_bytes = budget.limit_bytes();
  for (const auto& shard : state_->shards) {
    const size_t expired = shard->CountExpired();
    const size_t size = shard->size();
    stats.entries += size > expired ? size - expired : 0;
    stats.evictions += shard->evictions();
    stats.expired_on_access += shard->expired_on_access();
    stats.expired_by_sweep += shard->expired_by_sweep();
  }
  return stats;
}

bool Store::HasExcess() const {
  const ShardContext& context = state_->context;
  return context.evict && context.budget.IsExceeded() &&
         std::any_of(state_->shards.begin(), state_->shards.end(),
                     [](const auto& shard) { return shard->size() > 0; });
}

size_t Store::memory_bytes() const { return state_->context.budget.total_bytes(); }

size_t Store::block_bytes() const {
  return state_->context.budget.block_bytes.load(std::memory_order_relaxed);
}

}  // namespace ferrite
