#pragma once

// Reading an entry without a lock: no locked instruction and no write to memory that others use, so
// that reads of many threads do not meet, and the cache misses of one thread's next reads begin
// before this one has ended. Memory is read as it lies there and believed only afterwards:
//
//   1. Note how many pages the shard has given back so far.
//   2. Follow a hint to a slot.
//   3. Note its version; it must be live (entry.h). Then compare the key, whose size says where the
//      value lies, and copy the value.
//   4. Look at the version and at the number of pages again. If both are as noted, the entry was in
//      the map with this value in between, which is when the read took place.
//
// A page that was given back may be cut into other slots, so that the bytes at a slot may mean
// anything; hence the number of pages. But pages stay mapped as long as the store lives, and so is
// whatever lies behind them as far as the largest sizes reach that a slot may seem to have
// (kPageTailBytes).
//
// What this cannot decide goes the ordinary way, with locks: keys that no hint leads to, values in
// blocks, entries that are being written, and, where entries are evicted, those whose use is still
// to be counted.

#include <atomic>
#include <cstdint>
#include <string_view>

#include "absl/base/attributes.h"
#include "store/entries/entry.h"
#include "store/entries/hint_table.h"
#include "store/memory/page_table.h"
#include "store/operation.h"

namespace ferrite {

// Where a shard's entries are found without a lock. What it refers to outlives it. Thread-safe.
struct UnlockedPlaces {
  const HintTable& hints;
  const PageTable& pages;
  const std::atomic<uint64_t>& pages_given_back;
};

class UnlockedRead {
  static constexpr size_t kCacheLineBytes = 64;

 public:
  explicit UnlockedRead(const UnlockedPlaces& places) : places_(places) {}

  // Reads `key` into version(), `*value` and expires_at_ms(). False, and they mean nothing, if only
  // a lock can tell. With `leave_uncounted` it leaves entries to others whose count of uses may
  // still grow.
  bool Run(const LookupKey& key, bool leave_uncounted, Value* value) {
    const uint64_t given_back = places_.pages_given_back.load(std::memory_order_acquire);
    return places_.hints.Try(key.hash, [&](SlotRef ref) {
      const Candidate candidate{places_.pages.SlotAt(ref), given_back};
      return candidate.slot != nullptr &&
             ReadSlot(candidate, key, leave_uncounted, value, [&](size_t size) {
               value->Resize(size);
               return true;
             });
    });
  }

  // A slot that the key's entry may lie in, and the number of pages when it was found.
  struct Candidate {
    const char* slot;  // null: no hint
    uint64_t given_back;

    // Asks for the memory that a small entry lies in: its value's line need not wait for its key's.
    ABSL_ATTRIBUTE_ALWAYS_INLINE void Prefetch() const {
      if (slot == nullptr) return;
      __builtin_prefetch(slot);
      __builtin_prefetch(slot + kCacheLineBytes);
    }
  };

  // The likeliest slot of a key.
  ABSL_ATTRIBUTE_ALWAYS_INLINE Candidate Foresee(const LookupKey& key) const {
    const uint64_t given_back = places_.pages_given_back.load(std::memory_order_acquire);
    const SlotRef ref = places_.hints.First(key.hash);
    return {ref == HintTable::kEndRef ? nullptr : places_.pages.SlotAt(ref), given_back};
  }

  // As Run, but looks only there, and leaves to others what does not fit into the value's buffer.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool RunAt(const Candidate& candidate, const LookupKey& key,
                                          bool leave_uncounted, Value* value) {
    return candidate.slot != nullptr &&
           ReadSlot(candidate, key, leave_uncounted, value,
                    [&](size_t size) { return value->TryResize(size); });
  }

  uint64_t version() const { return version_; }
  bool expires() const { return state_ > Entry::kValueBits; }
  int64_t expires_at_ms() const { return static_cast<int64_t>(state_ >> Entry::kExpiryShift); }

  // The live entry of this key that lies there; null if it does not. The caller holds the key's
  // lock, so that the entry stays what it is.
  ABSL_ATTRIBUTE_ALWAYS_INLINE Entry* EntryAt(const Candidate& candidate,
                                              const LookupKey& key) const {
    // Another entry of this key cannot come here while the key is locked: so if what was live has
    // this key, it is the one. The version comes first: whatever key is read after it is no older.
    if (!IsLive(Load(candidate.slot + kVersionOffset)) || !HasKey(candidate.slot, key)) {
      return nullptr;
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    if (places_.pages_given_back.load(std::memory_order_relaxed) != candidate.given_back) {
      return nullptr;
    }
    return &EntryInSlot(const_cast<char*>(candidate.slot));
  }
  // The live entry of this key in any slot that a hint leads to; null if there is none. The caller
  // holds the key's lock.
  static Entry* Guess(const UnlockedPlaces& places, const LookupKey& key) {
    const uint64_t given_back = places.pages_given_back.load(std::memory_order_acquire);
    Entry* guess = nullptr;
    places.hints.Try(key.hash, [&](SlotRef ref) {
      const Candidate candidate{places.pages.SlotAt(ref), given_back};
      if (candidate.slot != nullptr) guess = UnlockedRead(places).EntryAt(candidate, key);
      return guess != nullptr;
    });
    return guess;
  }

 private:
  static constexpr size_t kEntryOffset = kNodeBaseBytes + sizeof(StoredKey);
  static constexpr size_t kVersionOffset = kEntryOffset + Entry::kVersionOffset;
  static constexpr size_t kStateOffset = kEntryOffset + Entry::kStateOffset;
  static_assert(kNodeBytes + kMaxKeyBytes + (Entry::kValueBits >> Entry::kSizeShift) + kWordBytes <
                kPageTailBytes);

  FERRITE_UNLOCKED static uint64_t Load(const char* from) {
    return __atomic_load_n(reinterpret_cast<const uint64_t*>(from), __ATOMIC_ACQUIRE);
  }
  static bool IsLive(uint64_t version) {
    static_assert(Entry::kNotLive == uint64_t{1} << 63);
    return static_cast<int64_t>(version) > 0;
  }
  FERRITE_UNLOCKED static uint8_t UsesAt(const char* slot) {
    const auto* uses = reinterpret_cast<const uint8_t*>(&StoredKeyAt(slot).uses_);
    return __atomic_load_n(uses, __ATOMIC_RELAXED);
  }
  static const StoredKey& StoredKeyAt(const char* slot) {
    return *reinterpret_cast<const StoredKey*>(slot + kNodeBaseBytes);
  }
  FERRITE_UNLOCKED static bool HasKey(const char* slot, const LookupKey& key) {
    const StoredKey& stored = StoredKeyAt(slot);
    return stored.hash_ == key.hash && stored.size_ == static_cast<uint16_t>(key.bytes.size()) &&
           EqualShared(slot + kNodeBytes, key.bytes.data(), key.bytes.size());
  }

  // `make_room(size)` makes the value so long, or returns false.
  template <typename MakeRoom>
  FERRITE_UNLOCKED bool ReadSlot(const Candidate& candidate, const LookupKey& key,
                                 bool leave_uncounted, Value* value, MakeRoom make_room) {
    const char* const slot = candidate.slot;
    // Before anything else: a key that was read before might be of the entry that was here last.
    version_ = Load(slot + kVersionOffset);
    if (!IsLive(version_) || !HasKey(slot, key)) return false;
    if (leave_uncounted && UsesAt(slot) < StoredKey::kMaxUses) return false;
    const auto state = Load(slot + kStateOffset);
    const size_t size = (state & Entry::kValueBits) >> Entry::kSizeShift;
    if ((state & Entry::kBlockBit) != 0 || !make_room(size)) return false;
    CopyShared(value->data(), slot + kNodeBytes + RoundUpToWords(key.bytes.size()), size);
    std::atomic_thread_fence(std::memory_order_acquire);
    state_ = state;
    return Load(slot + kVersionOffset) == version_ &&
           places_.pages_given_back.load(std::memory_order_relaxed) == candidate.given_back;
  }

  const UnlockedPlaces places_;
  uint64_t version_ = 0;
  uint64_t state_ = 0;
};

}  // namespace ferrite
