#pragma once

// What the cluster wants of the store, which this folder does not know.

#include <cstdint>
#include <functional>
#include <vector>

#include "server/cluster/core/action.h"

namespace ferrite::cluster {

// All are called on the driver's thread.
struct StoreEffects {
  std::function<void(uint64_t version)> raise_version_floor;
  std::function<void(uint64_t version)> set_version_ceiling;
  // Begins to take out what is held of these slots. Each call of what it returns does a short step
  // of that, and returns whether there is more to do.
  std::function<std::function<bool()>(const std::vector<SlotSpan>& spans)> drop;
  // Whether no call is at work that may have begun under an older view than the one whose
  // PublishedView::count() is given.
  std::function<bool(uint64_t view_count)> older_calls_are_done;
};

}  // namespace ferrite::cluster
