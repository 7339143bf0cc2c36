#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/base/attributes.h"
#include "store/calls/store_state.h"
#include "store/memory/reserved_bytes.h"
#include "store/memory/value_block.h"
#include "store/operation.h"

namespace ferrite {

// Writes of one key. Each takes the key's lock itself; those that begin with "Try" are short ways
// for likely cases, of which most writes are, and change nothing where they return false or 0.
// Thread-safe, as it keeps no state of its own.
class EntryWriter {
 public:
  EntryWriter(StoreState* state, const LocatedKey& key) : state_(*state), key_(key) {}

  // Overwrites the entry that was foreseen, if it is there, its lock is free, its value lies inline
  // and does not expire, and `value` fits. Returns the new version.
  uint64_t TryOverwrite(const UnlockedRead::Candidate& candidate, std::string_view value) const;

  // In all cases. Evicts for it where there is no room, with no lock held.
  SetResult Set(std::string_view value, const SetOptions& options);
  // Sets a value that is too large to lie in its entry, and for which room was made. Nothing is
  // evicted but for the entry itself. `room` is given back as the block is counted.
  SetResult SetBlock(BlockRef block, ReservedBytes* room, const SetOptions& options);

  DeleteResult Delete(std::optional<uint64_t> if_version);

  TouchResult Touch(std::optional<Expiry> expiry);

  // Steps a counter that is there, lies inline and does not expire. Failures go the long way.
  bool TryIncrInPlace(const IncrOptions& options, IncrResult* result);
  // In all cases.
  IncrResult Incr(const IncrOptions& options);

 private:
  SetResult SetCounted(std::string_view value, BlockRef block, ReservedBytes* room,
                       const SetOptions& options);
  IncrResult IncrLocked(const IncrOptions& options);

  StoreState& state_;
  const LocatedKey& key_;
};

ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t EntryWriter::TryOverwrite(
    const UnlockedRead::Candidate& candidate, std::string_view value) const {
  SpinMutex& mutex = key_.lock();
  if (candidate.slot == nullptr || !mutex.TryLock()) return 0;
  uint64_t version = 0;
  Entry* const entry =
      UnlockedRead(key_.shard->places(state_.context)).EntryAt(candidate, key_.key);
  if (entry != nullptr && entry->Overwrite(value)) [[likely]] {
    if (state_.counts_uses()) entry->key().CountUse();
    version = entry->version();
    EventListener* const listener = state_.context.listener.load(std::memory_order_acquire);
    if (listener != nullptr) [[unlikely]] {
      Shard::TellAndUnlock(listener, EventKind::kSet, *entry, &mutex);
      return version;
    }
  }
  mutex.Unlock();
  return version;
}

}  // namespace ferrite
