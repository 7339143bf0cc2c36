#include "server/cluster/core/holdings.h"

#include <algorithm>

#include "proto/slot.h"

namespace ferrite::cluster {

std::vector<Holdings::Piece> Holdings::Reconcile(const std::vector<Owned>& owned, bool may_begin) {
  std::vector<Piece> places;
  next_.clear();
  auto held = held_.begin();
  auto own = owned.begin();
  // From border to border: between two of them nothing changes.
  for (uint32_t first = 0; first < kSlotCount;) {
    if (held != held_.end() && held->span.last < first) ++held;
    if (own != owned.end() && own->span.last < first) ++own;
    uint32_t last = kSlotCount - 1;
    const auto inside = [&](const SlotSpan& span) {
      last = std::min(last, span.first <= first ? span.last : span.first - 1);
      return span.first <= first;
    };
    const Held* of_held = held != held_.end() && inside(held->span) ? &*held : nullptr;
    const Owned* of_owned = own != owned.end() && inside(own->span) ? &*own : nullptr;
    const SlotSpan span{first, last};
    if (of_owned != nullptr) places.push_back({span, PlaceOf(of_held, *of_owned, may_begin)});
    Keep(span, of_held, of_owned, may_begin);
    first = last + 1;
  }
  held_.swap(next_);
  return places;
}

Route::Place Holdings::PlaceOf(const Held* held, const Owned& owned, bool may_begin) const {
  if (owned.releasing_since != 0 && !faults_.released_too_soon) return Route::Place::kReleasing;
  if (held == nullptr) return may_begin ? Route::Place::kHere : Route::Place::kPreparing;
  if (held->drop != 0)
    return faults_.drop_not_awaited ? Route::Place::kHere : Route::Place::kPreparing;
  if (held->since == owned.since || faults_.foreign_data_kept) return Route::Place::kHere;
  return faults_.drop_not_awaited ? Route::Place::kHere : Route::Place::kPreparing;
}

void Holdings::Keep(const SlotSpan& span, const Held* held, const Owned* owned, bool may_begin) {
  Held kept{.span = span};
  if (held == nullptr) {
    if (owned == nullptr || owned->releasing_since != 0 || !may_begin) return;
    kept.since = owned->since;
  } else {
    kept.since = held->since;
    kept.drop = held->drop;
    const bool good = owned != nullptr && owned->since == held->since;
    if (held->drop == 0 && !good && !faults_.foreign_data_kept) {
      kept.drop = last_drop_ + 1;
      to_drop_.push_back(span);
    }
  }
  if (!next_.empty() && next_.back().span.last + 1 == span.first &&
      next_.back().since == kept.since && next_.back().drop == kept.drop) {
    next_.back().span.last = span.last;
  } else {
    next_.push_back(kept);
  }
}

std::optional<Drop> Holdings::TakeDrop() {
  if (to_drop_.empty()) return std::nullopt;
  Drop drop{.id = ++last_drop_, .spans = std::move(to_drop_)};
  to_drop_.clear();
  return drop;
}

void Holdings::DropAll() {
  for (Held& held : held_) {
    if (held.drop != 0) continue;
    held.drop = last_drop_ + 1;
    to_drop_.push_back(held.span);
  }
}

void Holdings::OnDropped(uint64_t drop) {
  if (drop == 0 || drop > last_drop_) return;
  std::erase_if(held_, [drop](const Held& held) { return held.drop == drop; });
}

}  // namespace ferrite::cluster
