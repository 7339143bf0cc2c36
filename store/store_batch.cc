// The calls of Store on many keys. One key after the other waits for each cache miss. Here keys go
// through stages in groups, so that the memory which a stage needs was asked for by the one before
// while other groups were served:
//
//   locate    the hash; asks for the hints
//   foresee   the likely slot; asks for the entry
//   approach  one or more stages for those who insert or erase: asks for what else they touch,
//             which is the next step through the map, and the entry's neighbours in the queue
//   act       the ordinary operation, which finds all of this in the cache
//
// What they foresee is a guess that nothing depends on, made without a lock.

#include <algorithm>

#include "base/check.h"
#include "store/calls/entry_reader.h"
#include "store/calls/entry_writer.h"
#include "store/calls/store_state.h"
#include "store/store.h"

namespace ferrite {
namespace {

// A stage of a read asks for up to two cache lines a key, and a core has room for 12 to 16 on their
// way.
constexpr size_t kGroupSize = 8;

struct Group {
  LocatedKey keys[kGroupSize];
  UnlockedRead::Candidate candidates[kGroupSize];
};

// Takes the numbers below `count` in groups through the steps: calls `step(i, key, candidate)` of
// each for each i in order, where the later two are i's own.
template <typename... Steps>
void InStages(size_t count, Steps... steps) {
  constexpr size_t kStages = sizeof...(Steps);
  Group groups[kStages];
  const auto run = [&](size_t number, auto& step) {
    const size_t begin = number * kGroupSize;
    if (begin >= count) return;  // too early or too late for this stage
    Group& group = groups[number % kStages];
    for (size_t i = 0; i < std::min(kGroupSize, count - begin); ++i) {
      step(begin + i, group.keys[i], group.candidates[i]);
    }
  };
  const size_t group_count = (count + kGroupSize - 1) / kGroupSize;
  for (size_t turn = 0; turn < group_count + kStages - 1; ++turn) {
    size_t number = turn;  // of the group that is in the first stage
    (run(number--, steps), ...);
  }
}

using Candidate = UnlockedRead::Candidate;

void Locate(const StoreState& state, std::string_view bytes, LocatedKey& key) {
  key = state.Locate(bytes);
  state.context.hints.Prefetch(key.key.hash);
}

}  // namespace

void Store::MGet(std::span<const std::string_view> keys, std::span<ReadResult> results) {
  FERRITE_CHECK(keys.size() == results.size());
  InStages(
      keys.size(), [&](size_t i, LocatedKey& key, auto&) { Locate(*state_, keys[i], key); },
      [&](size_t, const LocatedKey& key, auto& candidate) { candidate = state_->Foresee(key); },
      [&](size_t i, const LocatedKey& key, const auto& candidate) {
        const EntryReader reader(*state_, key);
        if (!reader.ReadUnlocked(candidate, &results[i])) [[unlikely]]
          reader.Read({}, &results[i]);
      });
}

void Store::MSet(std::span<const SetItem> items, std::span<SetResult> results) {
  FERRITE_CHECK(items.size() == results.size());
  const EventBatch batch;
  InStages(
      items.size(), [&](size_t i, LocatedKey& key, auto&) { Locate(*state_, items[i].key, key); },
      [&](size_t, const LocatedKey& key, auto& candidate) {
        candidate = state_->Foresee(key);
        if (candidate.slot == nullptr) key.shard->map().PrefetchBucket(key.key.hash);
      },
      [](size_t, const LocatedKey& key, const auto& candidate) {
        if (candidate.slot == nullptr) key.shard->map().PrefetchFirstNode(key.key.hash);
      },
      [](size_t, const LocatedKey& key, const auto& candidate) {
        if (candidate.slot == nullptr) key.shard->map().PrefetchSecondNode(key.key.hash);
      },
      [&](size_t i, const LocatedKey& key, const auto& candidate) {
        const SetItem& item = items[i];
        SetResult& result = results[i];
        EntryWriter writer(state_.get(), key);
        result.version = item.options.IsPlain() ? writer.TryOverwrite(candidate, item.value) : 0;
        if (result.version == 0) [[unlikely]] {
          result = writer.Set(item.value, item.options);
        } else {
          result.outcome = SetOutcome::kStored;
          result.previous.Clear();
        }
      });
}

void Store::MDelete(std::span<const std::string_view> keys, std::span<DeleteResult> results) {
  FERRITE_CHECK(keys.size() == results.size());
  const EventBatch batch;
  InStages(
      keys.size(),
      [&](size_t i, LocatedKey& key, auto&) {
        Locate(*state_, keys[i], key);
        key.shard->map().PrefetchBucket(key.key.hash);
      },
      [&](size_t, const LocatedKey& key, auto& candidate) {
        candidate = state_->Foresee(key);
        if (candidate.slot != nullptr) Page::Of(candidate.slot)->Prefetch();
        key.shard->map().PrefetchFirstNode(key.key.hash);
      },
      [](size_t, const LocatedKey& key, const auto& candidate) {
        if (candidate.slot != nullptr) key.shard->PrefetchNeighbours(candidate.slot);
        key.shard->map().PrefetchSecondNode(key.key.hash);
      },
      [&](size_t i, const LocatedKey& key, auto&) {
        results[i] = EntryWriter(state_.get(), key).Delete(std::nullopt);
      });
}

void Store::InTurn(std::span<const std::string_view> keys, absl::FunctionRef<void(size_t)> act) {
  const EventBatch batch;
  InStages(
      keys.size(), [&](size_t i, LocatedKey& key, auto&) { Locate(*state_, keys[i], key); },
      [&](size_t, const LocatedKey& key, auto& candidate) { candidate = state_->Foresee(key); },
      [&](size_t i, const LocatedKey&, const auto&) { act(i); });
}

}  // namespace ferrite
