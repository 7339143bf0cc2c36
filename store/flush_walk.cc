#include "store/flush_walk.h"

#include "store/calls/walk_step.h"

namespace ferrite {

bool FlushWalk::Step() {
  return WalkStep(state_, &place_, [this](Shard* shard, WalkPosition* position) {
    return shard->Flush(position, &deleted_);
  });
}

}  // namespace ferrite
