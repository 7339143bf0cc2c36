#include "store/drop_walk.h"

#include "store/calls/walk_step.h"

namespace ferrite {

bool DropWalk::Step() {
  return WalkStep(state_, &place_, [this](Shard* shard, WalkPosition* position) {
    return shard->Drop(position, chosen_, &dropped_);
  });
}

}  // namespace ferrite
