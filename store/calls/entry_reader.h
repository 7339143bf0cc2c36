#pragma once

#include <cstdint>
#include <string_view>

#include "absl/base/attributes.h"
#include "store/calls/store_state.h"
#include "store/operation.h"

namespace ferrite {

// Reads of one key. The names say which lock is involved: "Unlocked" takes none, "LockAnd" takes
// the key's lock, "Locked" needs it held by the caller; Read takes it only if it must.
//
// Unless it says otherwise, a read sets all fields of `*result`, to a miss if the entry is absent,
// and counts as a use of the entry. Thread-safe, as it keeps no state of its own.
class EntryReader {
 public:
  EntryReader(const StoreState& state, const LocatedKey& key) : state_(state), key_(key) {}

  // Without a lock where that is enough, else with the key's.
  void Read(const GetOptions& options, ReadResult* result) const;

  // Looks only where the entry was foreseen. False, and `*result` means nothing, if that did not
  // come true or only a lock can tell.
  bool ReadUnlocked(const UnlockedRead::Candidate& candidate, ReadResult* result) const;

  // The first step of ReadUnlocked, which calls nothing: the fewer instructions it takes, the more
  // of the next read's cache misses begin before this one's are over. If `read->expires()` then,
  // the read is not complete before SetTtl or FinishExpiring says so.
  bool GlanceUnlocked(const UnlockedRead::Candidate& candidate, UnlockedRead* read,
                      ReadResult* result) const;

  // Sets what is left of the time to live. False if nothing is.
  static bool SetTtl(const StoreState& state, int64_t expires_at_ms, ReadResult* result);

  // Both locate the key once more, so that a caller that tried GlanceUnlocked before need not keep
  // where it is. The first completes a glance at an entry that expires; the second is a whole Read.
  ABSL_ATTRIBUTE_NOINLINE static void FinishExpiring(const StoreState& state, std::string_view key,
                                                     int64_t expires_at_ms, ReadResult* result);
  ABSL_ATTRIBUTE_NOINLINE static void LocateAndRead(const StoreState& state, std::string_view key,
                                                    ReadResult* result);

  void LockAndRead(const GetOptions& options, ReadResult* result) const;

  // Sets `options.touch_ttl_ms` and reads, in one step.
  void LockTouchAndRead(const GetOptions& options, ReadResult* result) const;

  // Counts no use; without the value unless asked.
  void LockAndPeek(bool with_value, ReadResult* result) const;

  // Counts no use.
  bool LockAndFind() const;

  // What a write of the key would find and replace.
  struct Standing {
    bool found = false;
    uint64_t version = 0;    // 0: absent
    size_t block_bytes = 0;  // what its large value takes, also if it has expired; 0: it has none
  };
  // Counts no use.
  Standing LockAndWeigh() const;

  // Copies an entry that is there into a clear `*result`. Counts no use.
  static void CopyLocked(const StoreState& state, const Entry& entry, const GetOptions& options,
                         ReadResult* result);

 private:
  // Null if the entry is absent for users.
  Entry* FindLocked() const;

  const StoreState& state_;
  const LocatedKey& key_;
};

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool EntryReader::GlanceUnlocked(
    const UnlockedRead::Candidate& candidate, UnlockedRead* read, ReadResult* result) const {
  if (!read->RunAt(candidate, key_.key, state_.counts_uses(), &result->value)) return false;
  result->found = true;
  result->not_modified = false;
  result->version = read->version();
  result->ttl_ms.reset();
  return true;
}

inline bool EntryReader::SetTtl(const StoreState& state, int64_t expires_at_ms,
                                ReadResult* result) {
  const int64_t left_ms = LeftMs(expires_at_ms, *state.context.clock);
  result->ttl_ms = left_ms;
  return left_ms > 0;  // otherwise it may have been touched since we looked
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool EntryReader::ReadUnlocked(
    const UnlockedRead::Candidate& candidate, ReadResult* result) const {
  UnlockedRead read(key_.shard->places(state_.context));
  return GlanceUnlocked(candidate, &read, result) &&
         (!read.expires() || SetTtl(state_, read.expires_at_ms(), result));
}

}  // namespace ferrite
