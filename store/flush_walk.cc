#include "store/flush_walk.h"

#include "store/calls/step_clock.h"
#include "store/calls/store_state.h"

namespace ferrite {
namespace {

constexpr int kBatchesPerStep = 16;

}  // namespace

bool FlushWalk::Step() {
  const StepClock clock;
  WalkPosition position{.page = page_, .slot = slot_};
  for (int batch = 0; batch < kBatchesPerStep && shard_ < state_.shards.size(); ++batch) {
    if (!state_.shards[shard_]->Flush(&position, &deleted_)) {
      position = {};
      ++shard_;
    }
    if (clock.IsOver()) break;
  }
  page_ = position.page;
  slot_ = position.slot;
  const double of_shard =
      position.page_count == 0 ? 0 : static_cast<double>(position.page) / position.page_count;
  fraction_done_ =
      (static_cast<double>(shard_) + of_shard) / static_cast<double>(state_.shards.size());
  return shard_ < state_.shards.size();
}

}  // namespace ferrite
