// The calls of Store on many keys. One key after the other waits for each cache miss. Here keys go
// through three stages in groups, so that the memory which a stage needs was asked for by the one
// before while other groups were served:
//
//   locate    the hash; asks for the hints
//   foresee   the likely slot; asks for the entry
//   act       the ordinary operation, which finds all of this in the cache

#include <algorithm>

#include "store/check.h"
#include "store/store.h"
#include "store/store_state.h"

namespace ferrite {
namespace {

// A stage asks for up to two cache lines a key, and a core has room for 12 to 16 on their way.
constexpr size_t kGroupSize = 8;

struct Group {
  StoreState::Place places[kGroupSize];
  UnlockedRead::Candidate candidates[kGroupSize];
};

// Calls `act(i, place, candidate)` for each i below `count` in order; its key is key(i).
template <typename Key, typename Act>
void ForEachPlace(const StoreState& state, size_t count, Key key, Act act) {
  constexpr size_t kStages = 3;
  Group groups[kStages];
  const auto for_each_in = [&](size_t number, auto step) {
    const size_t begin = number * kGroupSize;
    if (begin >= count) return;  // too early or too late for this stage
    Group& group = groups[number % kStages];
    for (size_t i = 0; i < std::min(kGroupSize, count - begin); ++i) {
      step(begin + i, group.places[i], group.candidates[i]);
    }
  };
  const size_t group_count = (count + kGroupSize - 1) / kGroupSize;
  for (size_t turn = 0; turn < group_count + kStages - 1; ++turn) {
    for_each_in(turn, [&](size_t i, StoreState::Place& place, auto&) {
      place = state.Locate(key(i));
      state.context.hints.Prefetch(place.key.hash);
    });
    if (turn >= 1) {
      for_each_in(turn - 1, [](size_t, StoreState::Place& place, auto& candidate) {
        candidate = UnlockedRead::Foresee(place.shard->places(), place.key);
      });
    }
    if (turn >= 2) for_each_in(turn - 2, act);
  }
}

}  // namespace

void Store::MGet(std::span<const std::string_view> keys, std::span<ReadResult> results) {
  FERRITE_CHECK(keys.size() == results.size());
  ForEachPlace(
      *state_, keys.size(), [&](size_t i) { return keys[i]; },
      [&](size_t i, const StoreState::Place& place, const UnlockedRead::Candidate& candidate) {
        state_->ReadAt(place, candidate, &results[i]);
      });
}

void Store::MSet(std::span<const SetItem> items, std::span<SetResult> results) {
  FERRITE_CHECK(items.size() == results.size());
  ForEachPlace(
      *state_, items.size(), [&](size_t i) { return items[i].key; },
      [&](size_t i, const StoreState::Place& place, auto&) {
        results[i] = state_->Set(place, items[i].value, items[i].options);
      });
}

void Store::MDelete(std::span<const std::string_view> keys, std::span<DeleteResult> results) {
  FERRITE_CHECK(keys.size() == results.size());
  ForEachPlace(
      *state_, keys.size(), [&](size_t i) { return keys[i]; },
      [&](size_t i, const StoreState::Place& place, auto&) {
        results[i] = state_->Delete(place, std::nullopt);
      });
}

void Store::InTurn(std::span<const std::string_view> keys, absl::FunctionRef<void(size_t)> act) {
  ForEachPlace(
      *state_, keys.size(), [&](size_t i) { return keys[i]; },
      [&](size_t i, const StoreState::Place&, auto&) { act(i); });
}

}  // namespace ferrite
