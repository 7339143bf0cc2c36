#pragma once

#include "store/calls/step_clock.h"
#include "store/calls/store_state.h"
#include "store/operation.h"

namespace ferrite {

// Takes a bounded step of a walk over all shards: `visit(shard, position)` does a batch, moves the
// position on, and returns false at the end of its shard. Returns whether there is more to do.
template <typename Visit>
bool WalkStep(const StoreState& state, WalkPlace* place, Visit visit) {
  constexpr int kBatchesPerStep = 16;
  const StepClock clock;
  WalkPosition position{.page = place->page, .slot = place->slot};
  const size_t shards = state.shards.size();
  for (int batch = 0; batch < kBatchesPerStep && place->shard < shards; ++batch) {
    if (!visit(state.shards[place->shard].get(), &position)) {
      position = {};
      ++place->shard;
    }
    if (clock.IsOver()) break;
  }
  place->page = position.page;
  place->slot = position.slot;
  const double of_shard =
      position.page_count == 0 ? 0 : static_cast<double>(position.page) / position.page_count;
  place->fraction_done =
      (static_cast<double>(place->shard) + of_shard) / static_cast<double>(shards);
  return place->shard < shards;
}

}  // namespace ferrite
