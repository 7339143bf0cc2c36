// The calls of Store on many keys. One key after the other waits for each cache miss; a group of
// them asks for all the memory that it will need and then does the ordinary steps, which find it
// there.

#include <algorithm>

#include "store/check.h"
#include "store/store.h"
#include "store/store_state.h"

namespace ferrite {
namespace {

// How many keys have their memory on the way: enough to hide a cache miss behind the others, few
// enough for the core's buffers.
constexpr size_t kGroupSize = 16;

// Calls `act(i, place)` for the place of each key, which is key(i).
template <typename Key, typename Act>
void ForEachPlace(const StoreState& state, size_t count, Key key, Act act) {
  StoreState::Place places[kGroupSize];
  for (size_t begin = 0; begin < count; begin += kGroupSize) {
    const size_t size = std::min(kGroupSize, count - begin);
    for (size_t i = 0; i < size; ++i) {
      places[i] = state.Locate(key(begin + i));
      state.context.hints.Prefetch(places[i].key.hash);
    }
    for (size_t i = 0; i < size; ++i) {
      UnlockedRead::Prefetch(places[i].shard->places(), places[i].key);
    }
    for (size_t i = 0; i < size; ++i) act(begin + i, places[i]);
  }
}

}  // namespace

void Store::MGet(std::span<const std::string_view> keys, std::span<ReadResult> results) {
  FERRITE_CHECK(keys.size() == results.size());
  ForEachPlace(
      *state_, keys.size(), [&](size_t i) { return keys[i]; },
      [&](size_t i, const StoreState::Place& place) { state_->Read(place, {}, &results[i]); });
}

void Store::MSet(std::span<const SetItem> items, std::span<SetResult> results) {
  FERRITE_CHECK(items.size() == results.size());
  ForEachPlace(
      *state_, items.size(), [&](size_t i) { return items[i].key; },
      [&](size_t i, const StoreState::Place& place) {
        results[i] = state_->Set(place, items[i].value, items[i].options);
      });
}

void Store::MDelete(std::span<const std::string_view> keys, std::span<DeleteResult> results) {
  FERRITE_CHECK(keys.size() == results.size());
  ForEachPlace(
      *state_, keys.size(), [&](size_t i) { return keys[i]; },
      [&](size_t i, const StoreState::Place& place) {
        results[i] = state_->Delete(place, std::nullopt);
      });
}

}  // namespace ferrite
