#pragma once

// One entry of a near cache in one block of memory: its metadata, key and value. It is immutable,
// so every owner of a share may read it without a lock.

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

#include "base/links.h"

namespace ferrite {

// Counting shares. A hit should not pay for two atomic steps, one to take a share and one to give
// it back. So a shard, which holds its lock anyway, counts the shares that it gives away in a plain
// integer, and adds that to the atomic count when it drops the entry. Until then the atomic count
// is kShard higher, so that returning a share never looks like returning the last one.
class HeldEntry : public Link {
 public:
  // `expires_at_ns`: when it may no longer be served, on the clock of NearEntries. The caller has
  // one share.
  static HeldEntry* New(std::string_view key, std::string_view value, uint64_t version,
                        int64_t expires_at_ns) {
    void* const memory = ::operator new(sizeof(HeldEntry) + key.size() + value.size());
    return new (memory) HeldEntry(key, value, version, expires_at_ns);
  }

  std::string_view key() const { return {bytes(), key_bytes_}; }
  std::string_view value() const { return {bytes() + key_bytes_, value_bytes_}; }
  uint64_t version() const { return version_; }
  int64_t expires_at_ns() const { return expires_at_ns_; }

  // How much memory it takes in a shard, with its part of the hash table and the allocator's
  // overhead.
  static size_t MemoryBytes(size_t key_bytes, size_t value_bytes) {
    return sizeof(HeldEntry) + key_bytes + value_bytes + kTableBytes;
  }
  size_t memory_bytes() const { return MemoryBytes(key_bytes_, value_bytes_); }

  // For the owner of a share.
  void Share() { shares_.fetch_add(1, std::memory_order_relaxed); }
  void GiveBack() {
    if (shares_.fetch_sub(1, std::memory_order_acq_rel) == 1) Free();
  }

  // For the shard, under its lock. Between EnterShard and LeaveShard it may give away shares.
  void EnterShard() { shares_.fetch_add(kShard, std::memory_order_relaxed); }
  void GiveAway() {
    ++given_away_;
    used_ = true;
  }
  void LeaveShard() {
    const int64_t change = given_away_ - kShard;
    if (shares_.fetch_add(change, std::memory_order_acq_rel) == -change) Free();
  }
  // Whether a share was given away since the last call.
  bool TakeUsed() {
    const bool used = used_;
    used_ = false;
    return used;
  }

 private:
  static constexpr int64_t kShard = int64_t{1} << 62;
  static constexpr size_t kTableBytes = 32;

  HeldEntry(std::string_view key, std::string_view value, uint64_t version, int64_t expires_at_ns)
      : version_(version),
        expires_at_ns_(expires_at_ns),
        key_bytes_(static_cast<uint32_t>(key.size())),
        value_bytes_(static_cast<uint32_t>(value.size())) {
    char* const to = reinterpret_cast<char*>(this + 1);
    std::memcpy(to, key.data(), key.size());
    if (!value.empty()) std::memcpy(to + key.size(), value.data(), value.size());
  }
  ~HeldEntry() = default;

  void Free() {
    this->~HeldEntry();
    ::operator delete(this);
  }
  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }

  const uint64_t version_;
  const int64_t expires_at_ns_;
  const uint32_t key_bytes_;
  const uint32_t value_bytes_;
  // Guarded by the shard's lock.
  bool used_ = false;
  int64_t given_away_ = 0;

  std::atomic<int64_t> shares_{1};
};

}  // namespace ferrite
