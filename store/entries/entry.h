#pragma once

// An entry as it lies in memory: inside the hash map's node, key and small value included, so that
// a find costs two dependent cache misses (bucket, node) and not four.
//
//   TBB node base | StoredKey | Entry | key bytes | value bytes, or a pointer to a ValueBlock
//        16 B     |    8 B    |  24 B | (words)   | (words)
//
// What guards what. The hash, size and bytes of the key never change while the entry lives.
// Version, state, value and uses are written with the key's lock held. The links belong to the
// eviction queue and are guarded by the shard's mutex.
//
// Version and state are atomic, so that the sweep and the evictor, which hold only the shard's
// mutex, may glance at them and decide later, under the lock. And readers need no lock at all for a
// value that lies inline (UnlockedRead): the version is a sequence lock. An entry is not live until
// it has its first value, while it is written, and for ever once it leaves the map. Between two
// looks at the same live version nothing but the expiry has changed, as no version is given twice
// in one slot: a new entry's is above that of every entry that was erased in its shard.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/base/attributes.h"
#include "base/check.h"
#include "store/entries/expiry_time.h"
#include "store/entries/words.h"
#include "store/memory/slot_allocator.h"
#include "store/value.h"

namespace ferrite {

// What a key is looked up by: its bytes and its hash, computed once per operation.
struct LookupKey {
  std::string_view bytes;
  uint32_t hash = 0;
  uint8_t size_class = 0;  // of the slot that an insertion will use
};

// The key of an entry; its bytes follow the Entry that follows it.
class StoredKey {
 public:
  explicit StoredKey(const LookupKey& key);

  uint32_t hash() const { return hash_; }
  std::string_view bytes() const;
  size_t slot_bytes() const { return SlotBytes(size_class_); }

  // How often the entry was used recently, 0 to kMaxUses.
  static constexpr uint8_t kMaxUses = 3;
  uint8_t uses() const { return uses_.load(std::memory_order_relaxed); }
  void set_uses(uint8_t uses) const { uses_.store(uses, std::memory_order_relaxed); }
  // Writes only while there is something to change, so that readers of a hot entry share its cache
  // line.
  void CountUse() const {
    const uint8_t uses = uses_.load(std::memory_order_relaxed);
    if (uses < kMaxUses) uses_.store(uses + 1, std::memory_order_relaxed);
  }

 private:
  friend class Entry;
  friend class UnlockedRead;

  const uint32_t hash_;
  const uint16_t size_;
  const uint8_t size_class_;
  mutable std::atomic<uint8_t> uses_{0};
};

// Where an entry stands in its shard's eviction queue.
enum class QueuePlace : uint32_t { kNone, kSmall, kMain, kDetached };

class Entry {
 public:
  // A fresh entry has an empty value and no place in the queue.
  Entry() = default;
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  // Bytes of a slot that holds this key and a value of this size inline.
  static size_t SlotBytesFor(size_t key_size, size_t value_size);
  // Whether a new entry keeps such a value inline: up to slots of this size. Beyond it a copy under
  // the lock costs more than a reference.
  static constexpr size_t kMaxInlineSlotBytes = 1024;
  static bool FitsInline(size_t key_size, size_t value_size) {
    return SlotBytesFor(key_size, value_size) <= kMaxInlineSlotBytes;
  }

  const StoredKey& key() const { return reinterpret_cast<const StoredKey*>(this)[-1]; }

  // The last version that was given to the entry; 0: none yet.
  uint64_t version() const { return version_.load(std::memory_order_relaxed) & ~kNotLive; }
  // Gives the entry a version, and so ends a write: readers without a lock may believe it again.
  void set_version(uint64_t version) { version_.store(version, std::memory_order_release); }
  // Begins a write of the value, or the end of the entry: readers without a lock turn away.
  void SetNotLive() {
    version_.store(version_.load(std::memory_order_relaxed) | kNotLive, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
  }

  // As in expiry_time.h; 0: never.
  int64_t expires_at_ms() const {
    return static_cast<int64_t>(state_.load(std::memory_order_seq_cst) >> kExpiryShift);
  }
  void set_expires_at_ms(int64_t ms);
  // Reads the clock only if it has to.
  bool Expired(const Clock& clock) const {
    const int64_t at = expires_at_ms();
    return at != 0 && LeftMs(at, clock) <= 0;
  }

  // A small value is its own bytes; a large one is a block.
  bool HasBlock() const { return (state_.load(std::memory_order_relaxed) & kBlockBit) != 0; }
  // Null if it is none.
  ValueBlock* BlockOrNull() const { return HasBlock() ? block() : nullptr; }
  std::string_view value() const;
  void CopyValueTo(Value* value) const;
  // Roughly what the entry takes, its block included. Needs no lock.
  size_t memory_bytes() const;
  // How many bytes fit inline.
  size_t inline_capacity() const;

  // Gives the entry a value that fits inline, or takes over the caller's reference to `block`. From
  // here to the next set_version() the entry is not live.
  // Returns the block that it held before, for the caller to Unref when the lock is gone; null if
  // none.
  ValueBlock* SetInline(std::string_view bytes);
  [[nodiscard]] ValueBlock* SetBlock(ValueBlock* block);
  // Drops the entry's reference to its block, if it has one, at the end of its life.
  void DropBlock() {
    if (HasBlock()) block()->Unref();
  }
  // Whether the entry has an inline value and does not expire, so that neither a clock nor a block
  // matters when it is given another value.
  bool IsOverwritable() const {
    return (state_.load(std::memory_order_relaxed) & ~(kValueBits ^ kBlockBit)) == 0;
  }
  // Gives such an entry another value, and the next version. False, and nothing is changed, if it
  // is none or `bytes` do not fit.
  bool Overwrite(std::string_view bytes);
  // The neighbours in the queue, or anything else, as no lock is held: only for prefetching.
  ABSL_ATTRIBUTE_NO_SANITIZE_THREAD std::array<uint32_t, 2> GlanceAtNeighbours() const {
    return {previous_, next_};
  }

 private:
  friend class EvictionQueue;
  friend class UnlockedRead;
  friend struct EntryLayout;

  static constexpr size_t kVersionOffset = 0;
  static constexpr size_t kStateOffset = 8;
  static constexpr uint64_t kNotLive = uint64_t{1} << 63;
  static constexpr uint64_t kBlockBit = 1;
  static constexpr int kSizeShift = 1;     // 15 bits: bytes of an inline value, or units of a block
  static constexpr int kExpiryShift = 16;  // 48 bits
  static constexpr uint64_t kValueBits = (uint64_t{1} << kExpiryShift) - 1;
  static constexpr size_t kBlockUnit = 256;
  static constexpr size_t kMaxBlockUnits = (1 << (kExpiryShift - kSizeShift)) - 1;

  ValueBlock* block() const;
  char* value_area() const;
  void SetValueBits(uint64_t bits) {
    state_.store((state_.load(std::memory_order_relaxed) & ~kValueBits) | bits,
                 std::memory_order_relaxed);
  }

  std::atomic<uint64_t> version_{0};
  std::atomic<uint64_t> state_{0};
  // Neighbours in the queue.
  uint32_t previous_ : 30 = kNoSlot;
  uint32_t place_ : 2 = static_cast<uint32_t>(QueuePlace::kNone);
  uint32_t next_ : 30 = kNoSlot;
  uint32_t is_old_ : 1 = 0;  // has been at the head of a queue
  uint32_t unused_ : 1 = 0;
};

// What the hash map holds.
using EntryPair = std::pair<const StoredKey, Entry>;

// What TBB puts in front of a pair: the next pointer and the lock. entry_map.h checks it.
inline constexpr size_t kNodeBaseBytes = 16;
inline constexpr size_t kNodeBytes = kNodeBaseBytes + sizeof(EntryPair);
static_assert(sizeof(StoredKey) == 8 && sizeof(Entry) == 24 && sizeof(EntryPair) == 32);

// What the slot allocator takes for granted. A free slot's link lies in those of its last entry.
struct EntryLayout {
  static_assert(kSlotVersionOffset == kNodeBaseBytes + sizeof(StoredKey) + Entry::kVersionOffset);
  static_assert(kFreeLinkOffset == kNodeBytes - kWordBytes);
  static_assert(kFreeLinkOffset >= kSlotVersionOffset + 2 * kWordBytes, "version and state stay");
};

inline Entry& EntryInSlot(void* slot) {
  return reinterpret_cast<EntryPair*>(static_cast<char*>(slot) + kNodeBaseBytes)->second;
}
inline const Entry& EntryInSlot(const void* slot) { return EntryInSlot(const_cast<void*>(slot)); }
inline void* SlotOfEntry(const Entry& entry) {
  return reinterpret_cast<char*>(const_cast<Entry*>(&entry)) - sizeof(StoredKey) - kNodeBaseBytes;
}

inline size_t Entry::SlotBytesFor(size_t key_size, size_t value_size) {
  return kNodeBytes + RoundUpToWords(key_size) +
         std::max(RoundUpToWords(value_size), sizeof(ValueBlock*));
}

inline std::string_view StoredKey::bytes() const {
  return {reinterpret_cast<const char*>(this) + sizeof(EntryPair), size_};
}
inline char* Entry::value_area() const {
  return const_cast<char*>(reinterpret_cast<const char*>(this + 1)) + RoundUpToWords(key().size_);
}
inline std::string_view Entry::value() const {
  const uint64_t state = state_.load(std::memory_order_relaxed);
  if ((state & kBlockBit) != 0) return block()->bytes();
  return {value_area(), (state & kValueBits) >> kSizeShift};
}
inline size_t Entry::memory_bytes() const {
  const uint64_t state = state_.load(std::memory_order_relaxed);
  const size_t block_units = (state & kBlockBit) != 0 ? (state & kValueBits) >> kSizeShift : 0;
  return key().slot_bytes() + block_units * kBlockUnit;
}
inline size_t Entry::inline_capacity() const {
  return key().slot_bytes() - kNodeBytes - RoundUpToWords(key().size_);
}
inline ValueBlock* Entry::block() const {
  ValueBlock* block;
  std::memcpy(&block, value_area(), sizeof(block));
  return block;
}
inline ValueBlock* Entry::SetInline(std::string_view bytes) {
  FERRITE_CHECK(bytes.size() <= inline_capacity());
  ValueBlock* const old = HasBlock() ? block() : nullptr;
  SetNotLive();
  StoreWords(value_area(), bytes.data(), bytes.size());
  SetValueBits(bytes.size() << kSizeShift);
  return old;
}
inline bool Entry::Overwrite(std::string_view bytes) {
  if (!IsOverwritable() || bytes.size() > inline_capacity()) return false;
  const uint64_t version = version_.load(std::memory_order_relaxed);
  version_.store(version | kNotLive, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  StoreWords(value_area(), bytes.data(), bytes.size());
  state_.store(bytes.size() << kSizeShift, std::memory_order_relaxed);
  version_.store(version + 1, std::memory_order_release);
  return true;
}

}  // namespace ferrite
