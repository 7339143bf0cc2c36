#pragma once

// What is to be taken out of the store, one after the other, a short step at a time.

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "server/cluster/core/action.h"
#include "server/cluster/core/event.h"
#include "server/cluster/driver/store_effects.h"

namespace ferrite::cluster {

// Not thread-safe.
class Drops {
 public:
  explicit Drops(const StoreEffects* store) : store_(*store) {}

  // `view_count` is PublishedView::count() of the view by which these slots are not served.
  void Add(Drop drop, uint64_t view_count) { waiting_.push_back({std::move(drop), view_count}); }

  enum class Pace {
    kIdle,   // there is nothing to do
    kWaits,  // calls are at work that began before: ask again in a moment
    kBusy,   // there is more to do
  };
  Pace pace() const {
    if (waiting_.empty()) return Pace::kIdle;
    return step_ != nullptr ? Pace::kBusy : Pace::kWaits;
  }

  // Does a step. Returns the drop that is done with it, if any.
  std::optional<Dropped> Step() {
    if (waiting_.empty()) return std::nullopt;
    const Waiting& first = waiting_.front();
    if (step_ == nullptr) {
      if (!store_.older_calls_are_done(first.view_count)) return std::nullopt;
      step_ = store_.drop(first.drop.spans);
    }
    if (step_()) return std::nullopt;
    step_ = nullptr;
    const Dropped done{first.drop.id};
    waiting_.pop_front();
    return done;
  }

 private:
  struct Waiting {
    Drop drop;
    uint64_t view_count;
  };

  const StoreEffects& store_;
  std::deque<Waiting> waiting_;
  std::function<bool()> step_;
};

}  // namespace ferrite::cluster
