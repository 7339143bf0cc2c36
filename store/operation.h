#pragma once

// What the store is asked to do and what it answers. These mirror the messages of ferrite.v1
// without depending on them; cache.proto holds the meaning of each field for users.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/value.h"

namespace ferrite {

inline constexpr size_t kMaxKeyBytes = 4096;
// 100 years.
inline constexpr int64_t kMaxTtlMs = int64_t{100} * 365 * 24 * 3600 * 1000;

// When an entry is to expire: after a time to live, by the steady clock, or when the wall clock
// reaches a Unix time, however often it is set before (store.h).
struct Expiry {
  enum class Kind : uint8_t {
    kNever,
    kAfter,  // `ms` from now
    kAt,     // at Unix time `ms`
    kKeep,   // as the entry that is there; kNever for a new one
  };
  static constexpr Expiry Never() { return {Kind::kNever, 0}; }
  static constexpr Expiry After(int64_t ms) { return {Kind::kAfter, ms}; }
  static constexpr Expiry At(int64_t unix_ms) { return {Kind::kAt, unix_ms}; }
  static constexpr Expiry Keep() { return {Kind::kKeep, 0}; }

  // Whether it is a time of its own.
  bool IsSet() const { return kind == Kind::kAfter || kind == Kind::kAt; }

  Kind kind = Kind::kNever;
  int64_t ms = 0;
};

// One entry as a read sees it, or a miss.
struct ReadResult {
  bool found = false;
  bool not_modified = false;  // the caller has this version; `value` is empty
  uint64_t version = 0;
  std::optional<int64_t> ttl_ms;  // at least 1; none: never expires
  Value value;

  // Makes it a miss; the value's buffer is kept.
  void Clear() {
    found = not_modified = false;
    version = 0;
    ttl_ms.reset();
    value.Clear();
  }
};

struct GetOptions {
  std::optional<int64_t> touch_ttl_ms;
  std::optional<uint64_t> if_version_not;

  // Whether this is a plain read.
  bool IsPlain() const { return !touch_ttl_ms.has_value() && !if_version_not.has_value(); }
};

enum class Presence : uint8_t { kAny, kAbsent, kPresent };

struct SetOptions {
  Expiry expiry;
  Presence presence = Presence::kAny;
  std::optional<uint64_t> if_version;
  bool return_previous = false;

  // Whether the condition holds for what stands: an entry of that version, or none.
  bool AllowedBy(bool found, uint64_t version) const {
    if (presence == Presence::kAbsent && found) return false;
    if (presence == Presence::kPresent && !found) return false;
    return !if_version.has_value() || (found && if_version == version);
  }
  bool HasCondition() const { return presence != Presence::kAny || if_version.has_value(); }
  // Whether this is a plain write: no condition, no expiry, no question.
  bool IsPlain() const {
    return expiry.kind == Expiry::Kind::kNever && !HasCondition() && !return_previous;
  }
};

enum class SetOutcome : uint8_t { kStored, kConditionFailed, kMemoryFull };

struct SetResult {
  SetOutcome outcome = SetOutcome::kStored;
  uint64_t version = 0;  // written, or what stands when the condition failed (0: absent)
  ReadResult previous;   // only if asked for; found == false when there was none
};

// One of many writes.
struct SetItem {
  std::string_view key;
  std::string_view value;
  SetOptions options;
};

struct DeleteResult {
  bool deleted = false;
  uint64_t version = 0;  // deleted, or what stands when if_version did not match (0: absent)
};

struct TouchResult {
  bool found = false;
  uint64_t version = 0;
  std::optional<int64_t> ttl_ms;
};

struct IncrOptions {
  int64_t delta = 1;
  int64_t initial = 0;
  int64_t min = std::numeric_limits<int64_t>::min();
  int64_t max = std::numeric_limits<int64_t>::max();
  bool saturate = false;
  Expiry expiry = Expiry::Keep();
  bool expiry_only_if_created = false;
};

enum class IncrOutcome : uint8_t { kDone, kNotACounter, kOutOfRange, kMemoryFull };

struct IncrResult {
  IncrOutcome outcome = IncrOutcome::kDone;
  int64_t value =
      0;  // after the step; when kOutOfRange: what the counter holds (or would have started from)
  uint64_t version = 0;
  std::optional<int64_t> ttl_ms;
  bool created = false;
  bool saturated = false;
};

// Where a scan stands: the next position to look at. Opaque outside the store.
struct ScanCursor {
  uint32_t shard = 0;
  uint32_t page = 0;
  uint32_t slot = 0;
};

// Where a walk over the whole store stands.
struct WalkPlace {
  size_t shard = 0;
  // Within the shard.
  uint32_t page = 0;
  uint32_t slot = 0;
  double fraction_done = 0;  // about how much of its way it has gone, from 0 to 1
};

// A key that a scan met, and where to go on after it.
struct ScannedKey {
  std::string key;
  ScanCursor after;
};

// What the store holds and has done since it was made.
struct StoreStats {
  uint64_t entries = 0;             // present now; expired ones not counted
  uint64_t slot_bytes = 0;          // pages that hold small entries
  uint64_t block_bytes = 0;         // large values
  uint64_t unused_block_bytes = 0;  // free memory between large values
  uint64_t table_bytes = 0;         // hash buckets and hints
  uint64_t eviction_bytes = 0;      // what the eviction policy remembers
  uint64_t reserved_bytes = 0;      // free, and kept for writes to come (RoomReservation)
  uint64_t limit_bytes = 0;         // 0: none
  uint64_t evictions = 0;
  uint64_t expired_on_access = 0;  // found expired by a writer or the evictor, which removed it
  uint64_t expired_by_sweep = 0;

  uint64_t memory_bytes() const {
    return slot_bytes + block_bytes + unused_block_bytes + table_bytes + eviction_bytes;
  }
};

}  // namespace ferrite
