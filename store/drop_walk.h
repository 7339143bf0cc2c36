#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "store/store.h"

namespace ferrite {

// Takes the entries of chosen keys out of a store, a bounded step at a time, as FlushWalk does with
// all of them. They are not deleted but somebody else's from now on: no listener hears of it, so
// whoever followed these keys has to be told otherwise.
//
// Every chosen entry that was there when the walk was made is gone when Step() has returned false.
// One that is written meanwhile may stay or go.
//
//   DropWalk walk(&store, [](std::string_view key) { return SlotOf(key) < 100; });
//   while (walk.Step()) ServeOthers();
//
// Not thread-safe: one thread at a time. The store must outlive it.
class DropWalk {
 public:
  // `chosen` gives the same answer for a key each time, is called with a lock of the store held,
  // and must be quick.
  DropWalk(Store* store, std::function<bool(std::string_view key)> chosen)
      : state_(*store->state_), chosen_(std::move(chosen)) {}

  // Takes the next step. Returns whether there is more to do.
  bool Step();

  // How many entries are gone, expired ones among them.
  uint64_t dropped() const { return dropped_; }

 private:
  StoreState& state_;
  const std::function<bool(std::string_view key)> chosen_;
  WalkPlace place_;
  uint64_t dropped_ = 0;
};

}  // namespace ferrite
