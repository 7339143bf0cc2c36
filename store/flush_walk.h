#pragma once

#include <cstdint>

#include "store/store.h"

namespace ferrite {

// Deletes all entries of a store, a bounded step at a time, so that a thread which serves others
// can do it in between. A step deletes at most some 1,000 small entries, or 0.5 MiB more than the
// first that is larger, and takes about 200 us; it holds the locks of one deletion at a time.
//
// Every entry that was there when the walk was made is gone when Step() has returned false, and its
// memory is given back. An entry that is written meanwhile may stay or go, also if its key was
// there before. Any number of walks may go on at once, beside all other calls.
//
//   FlushWalk walk(&store);
//   while (walk.Step()) ServeOthers();
//
// Not thread-safe: one thread at a time. The store must outlive it.
class FlushWalk {
 public:
  explicit FlushWalk(Store* store) : state_(*store->state_) {}

  // Takes the next step. Returns whether there is more to do.
  bool Step();

  // How many entries it has deleted; not those that had expired, which are gone as well.
  uint64_t deleted() const { return deleted_; }
  // About how much of its way it has gone, from 0 to 1.
  double fraction_done() const { return place_.fraction_done; }

 private:
  StoreState& state_;
  WalkPlace place_;
  uint64_t deleted_ = 0;
};

}  // namespace ferrite
