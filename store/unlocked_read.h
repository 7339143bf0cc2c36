#pragma once

// Reading an entry without a lock: no locked instruction and no write to memory that others use, so
// that reads of many threads do not meet, and the cache misses of one thread's next reads begin
// before this one has ended. Memory is read as it lies there and believed only afterwards:
//
//   1. Note how many pages the shard has given back so far.
//   2. Follow a hint to a slot with this hash and size of key.
//   3. Note its version; it must be live (entry.h). Compare the key, copy the value.
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
#include <bit>
#include <cstdint>
#include <string_view>

#include "absl/base/attributes.h"
#include "store/entry.h"
#include "store/hint_table.h"
#include "store/operation.h"
#include "store/page_table.h"

namespace ferrite {

// Where a shard's entries are found without a lock. What it refers to outlives it. Thread-safe.
struct UnlockedPlaces {
  const HintTable& hints;
  const PageTable& pages;
  const std::atomic<uint64_t>& pages_given_back;
};

class UnlockedRead {
 public:
  explicit UnlockedRead(const UnlockedPlaces& places) : places_(places) {}

  // Reads `key` into version(), `*value` and expires_at_ms(). False, and they mean nothing, if only
  // a lock can tell. With `leave_uncounted` it leaves entries to others whose count of uses may
  // still grow.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool Run(const LookupKey& key, bool leave_uncounted, Value* value) {
    const uint64_t given_back = places_.pages_given_back.load(std::memory_order_acquire);
    return places_.hints.Try(key.hash, [&](SlotRef ref) {
      const char* slot = places_.pages.SlotAt(ref);
      if (slot == nullptr) return false;
      __builtin_prefetch(slot + kCacheLineBytes);
      return RunAt({slot, given_back}, key, leave_uncounted, value);
    });
  }

  // A slot that the key's entry may lie in, and the number of pages when it was found.
  struct Candidate {
    const char* slot;  // null: no hint
    uint64_t given_back;
  };

  // The likeliest slot of a key, whose memory it asks for. To be called for all keys of a group
  // before RunAt for the first.
  static Candidate Foresee(const UnlockedPlaces& places, const LookupKey& key) {
    Candidate candidate{nullptr, places.pages_given_back.load(std::memory_order_acquire)};
    places.hints.Try(key.hash, [&](SlotRef ref) {
      candidate.slot = places.pages.SlotAt(ref);
      return candidate.slot != nullptr;
    });
    if (candidate.slot != nullptr) {
      __builtin_prefetch(candidate.slot);
      __builtin_prefetch(candidate.slot + kCacheLineBytes);
    }
    return candidate;
  }

  // As Run, but looks only there.
  ABSL_ATTRIBUTE_NO_SANITIZE_THREAD ABSL_ATTRIBUTE_ALWAYS_INLINE bool RunAt(
      const Candidate& candidate, const LookupKey& key, bool leave_uncounted, Value* value) {
    const auto header = Load<StoredKey::Header>(candidate.slot + kNodeBaseBytes);
    return header.hash == key.hash && header.size == key.bytes.size() &&
           !(leave_uncounted && header.uses < StoredKey::kMaxUses) &&
           ReadSlot(candidate.slot, key.bytes, value) &&
           places_.pages_given_back.load(std::memory_order_relaxed) == candidate.given_back;
  }

  uint64_t version() const { return version_; }
  int64_t expires_at_ms() const { return expires_at_ms_; }

  // The live entry of this key that hints lead to; null if they do not. For who has locked the key,
  // so that it stays what it is.
  ABSL_ATTRIBUTE_NO_SANITIZE_THREAD static Entry* Guess(const UnlockedPlaces& places,
                                                        const LookupKey& key) {
    const uint64_t given_back = places.pages_given_back.load(std::memory_order_acquire);
    Entry* guess = nullptr;
    places.hints.Try(key.hash, [&](SlotRef ref) {
      char* slot = places.pages.SlotAt(ref);
      if (slot == nullptr) return false;
      const auto header = Load<StoredKey::Header>(slot + kNodeBaseBytes);
      if (header.hash != key.hash || header.size != key.bytes.size()) return false;
      // Another entry of this key cannot come here while the key is locked: so if what was live has
      // this key, it is the one.
      if (!IsLive(Load<uint64_t>(slot + kVersionOffset)) || !HasKey(slot, key.bytes)) return false;
      guess = &EntryInSlot(slot);
      return true;
    });
    std::atomic_thread_fence(std::memory_order_acquire);
    return places.pages_given_back.load(std::memory_order_relaxed) == given_back ? guess : nullptr;
  }

 private:
  static constexpr size_t kCacheLineBytes = 64;
  static constexpr size_t kEntryOffset = kNodeBaseBytes + sizeof(StoredKey);
  static constexpr size_t kVersionOffset = kEntryOffset + Entry::kVersionOffset;
  static constexpr size_t kStateOffset = kEntryOffset + Entry::kStateOffset;
  static_assert(kNodeBytes + kMaxKeyBytes + (Entry::kValueBits >> Entry::kSizeShift) + kWordBytes <
                kPageTailBytes);

  template <typename T>
  ABSL_ATTRIBUTE_NO_SANITIZE_THREAD static T Load(const char* from) {
    static_assert(sizeof(T) == kWordBytes);
    return std::bit_cast<T>(
        __atomic_load_n(reinterpret_cast<const uint64_t*>(from), __ATOMIC_ACQUIRE));
  }
  static bool IsLive(uint64_t version) { return version != 0 && (version & Entry::kNotLive) == 0; }
  static bool HasKey(const char* slot, std::string_view key) {
    return EqualWords(slot + kNodeBytes, key.data(), key.size());
  }

  ABSL_ATTRIBUTE_NO_SANITIZE_THREAD bool ReadSlot(const char* slot, std::string_view key,
                                                  Value* value) {
    version_ = Load<uint64_t>(slot + kVersionOffset);
    if (!IsLive(version_) || !HasKey(slot, key)) return false;
    const auto state = Load<uint64_t>(slot + kStateOffset);
    const size_t size = (state & Entry::kValueBits) >> Entry::kSizeShift;
    if ((state & Entry::kBlockBit) != 0) return false;
    LoadWords(value->Resize(size), slot + kNodeBytes + RoundUpToWords(key.size()), size);
    std::atomic_thread_fence(std::memory_order_acquire);
    expires_at_ms_ = static_cast<int64_t>(state >> Entry::kExpiryShift);
    return Load<uint64_t>(slot + kVersionOffset) == version_;
  }

  const UnlockedPlaces places_;
  uint64_t version_ = 0;
  int64_t expires_at_ms_ = 0;
};

}  // namespace ferrite
