#pragma once

// What the store of this node may hold, and of what it owns, what it may serve.
//
// What is held of slots that are another's now, or were meanwhile, is stale: it has to be dropped,
// and until that is done nothing is served there. What is held of slots that stayed this node's is
// good, however long the node was without the right to serve.

#include <cstdint>
#include <optional>
#include <vector>

#include "server/cluster/core/action.h"
#include "server/cluster/core/faults.h"

namespace ferrite::cluster {

class Holdings {
 public:
  // Slots that the map gives to this node.
  struct Owned {
    SlotSpan span;
    uint64_t since = 0;            // the generation
    uint64_t releasing_since = 0;  // likewise; 0: it is not
  };
  struct Piece {
    SlotSpan span;
    Route::Place place;
  };

  explicit Holdings(const Faults& faults) : faults_(faults) {}

  // Compares what is held with `owned`, which is in order. `may_begin`: whether slots of which
  // nothing is held may be served from now on. Returns the places of the slots in `owned`.
  std::vector<Piece> Reconcile(const std::vector<Owned>& owned, bool may_begin);
  // What has to be dropped that was not told yet.
  std::optional<Drop> TakeDrop();
  void OnDropped(uint64_t drop);
  // Nothing that is held can be trusted.
  void DropAll();

  bool empty() const { return held_.empty(); }

 private:
  struct Held {
    SlotSpan span;
    uint64_t since = 0;
    uint64_t drop = 0;  // 0: it is good
  };

  void Keep(const SlotSpan& span, const Held* held, const Owned* owned, bool may_begin);
  Route::Place PlaceOf(const Held* held, const Owned& owned, bool may_begin) const;

  const Faults& faults_;
  std::vector<Held> held_;  // in order
  std::vector<Held> next_;
  uint64_t last_drop_ = 0;
  std::vector<SlotSpan> to_drop_;
};

}  // namespace ferrite::cluster
