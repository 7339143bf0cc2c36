#pragma once

// An entry as it lies in memory: inside the hash map's node, key and small value included, so that
// a find costs two dependent cache misses (bucket, node) and not four.
//
//   TBB node base | StoredKey | Entry | key bytes | value bytes, or a pointer to a ValueBlock
//        16 B     |    8 B    |  24 B |           |
//
// Who guards what. The hash, size and bytes of the key never change. `uses` is a hint that readers
// bump without any order. Version, state and value are written under the map's accessor and read
// under a const_accessor; version and state are atomic all the same, so that the sweep and the
// evictor, which hold only the shard's mutex, may glance at them and decide later, under the
// accessor. The links belong to the eviction queue and are guarded by the shard's mutex.

#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

#include "store/page.h"
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

  // How often the entry was used of late, 0 to 3.
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
  static constexpr uint8_t kMaxUses = 3;

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
  // Drops the entry's reference to its block, if it has one.
  ~Entry();
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  // Bytes of a slot that holds this key and a value of this size inline.
  static size_t SlotBytesFor(size_t key_size, size_t value_size);
  // Whether a new entry keeps such a value inline.
  static bool FitsInline(size_t key_size, size_t value_size);

  const StoredKey& key() const { return reinterpret_cast<const StoredKey*>(this)[-1]; }

  uint64_t version() const { return version_.load(std::memory_order_relaxed); }
  void set_version(uint64_t version) { version_.store(version, std::memory_order_relaxed); }

  // Monotonic milliseconds; 0: never.
  int64_t expires_at_ms() const {
    return static_cast<int64_t>(state_.load(std::memory_order_seq_cst) >> kExpiryShift);
  }
  void set_expires_at_ms(int64_t ms);
  // Reads the clock only if it has to.
  template <typename NowMs>
  bool Expired(NowMs now_ms) const {
    const int64_t at = expires_at_ms();
    return at != 0 && at <= now_ms();
  }

  // A small value is its own bytes; a large one is a block.
  bool HasBlock() const { return (state_.load(std::memory_order_relaxed) & kBlockBit) != 0; }
  std::string_view value() const;
  void CopyValueTo(Value* value) const;
  // Roughly what the entry takes, its block included. Needs no lock.
  size_t memory_bytes() const;
  // How many bytes fit inline.
  size_t inline_capacity() const;

  // Gives the entry a value that fits inline, or takes over the caller's reference to `block`.
  // Returns the block that it held before, for the caller to Unref when the lock is gone; null if
  // none.
  [[nodiscard]] ValueBlock* SetInline(std::string_view bytes);
  [[nodiscard]] ValueBlock* SetBlock(ValueBlock* block);

 private:
  friend class EvictionQueue;

  static constexpr uint64_t kBlockBit = 1;
  static constexpr int kSizeShift = 1;     // 15 bits: bytes of an inline value, or units of a block
  static constexpr int kExpiryShift = 16;  // 48 bits
  static constexpr uint64_t kValueBits = (uint64_t{1} << kExpiryShift) - 1;
  static constexpr size_t kBlockUnit = 256;
  static constexpr size_t kMaxBlockUnits = (1 << (kExpiryShift - kSizeShift)) - 1;

  ValueBlock* block() const;
  char* value_area() const;
  void SetValueBits(uint64_t bits);

  std::atomic<uint64_t> version_{0};
  std::atomic<uint64_t> state_{0};
  // Neighbours in the queue.
  uint32_t previous_ : 30 = kNoSlot;
  uint32_t place_ : 2 = static_cast<uint32_t>(QueuePlace::kNone);
  uint32_t next_ : 30 = kNoSlot;
  uint32_t unused_ : 2 = 0;
};

// What the hash map holds.
using EntryPair = std::pair<const StoredKey, Entry>;

// What TBB puts in front of a pair: the next pointer and the lock. entry_map.h checks it.
inline constexpr size_t kNodeBaseBytes = 16;
inline constexpr size_t kNodeBytes = kNodeBaseBytes + sizeof(EntryPair);
static_assert(sizeof(StoredKey) == 8 && sizeof(Entry) == 24 && sizeof(EntryPair) == 32);

inline Entry& EntryInSlot(void* slot) {
  return reinterpret_cast<EntryPair*>(static_cast<char*>(slot) + kNodeBaseBytes)->second;
}
inline void* SlotOfEntry(const Entry& entry) {
  return reinterpret_cast<char*>(const_cast<Entry*>(&entry)) - sizeof(StoredKey) - kNodeBaseBytes;
}

inline std::string_view StoredKey::bytes() const {
  return {reinterpret_cast<const char*>(this) + sizeof(EntryPair), size_};
}
inline char* Entry::value_area() const {
  return const_cast<char*>(reinterpret_cast<const char*>(this + 1)) + key().size_;
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
  return key().slot_bytes() - kNodeBytes - key().size_;
}

}  // namespace ferrite
