#pragma once

// What every caller may rely on: a call that begins after another has ended sees at least the
// version that the other one saw or wrote, and no version that it deleted. One floor per key, read
// before a call begins and raised when it has ended.
//
// The counters are relaxed and the fences apart from them on purpose: the fences order the
// processor's accesses, but are nothing to the thread sanitizer, which would otherwise take this
// for synchronization of the store's own and miss a race.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ferrite {

// The last version of a key that is known to have been there, and whether it was deleted since.
class VersionFloor {
 public:
  explicit VersionFloor(uint64_t bits) : bits_(bits) {}

  // Whether a call that began after this was known may find the version, or write it.
  bool AllowsRead(uint64_t version) const { return version * 2 >= bits_; }
  bool AllowsWrite(uint64_t version) const { return version * 2 > bits_; }

  uint64_t version() const { return bits_ / 2; }
  bool deleted() const { return bits_ % 2 == 1; }

 private:
  uint64_t bits_;
};

// Thread-safe.
class VersionFloors {
 public:
  explicit VersionFloors(size_t keys) : floors_(keys) {}

  VersionFloor Of(size_t key) const {
    const uint64_t bits = floors_[key].load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return VersionFloor(bits);
  }

  // This version was found or written, or deleted.
  void Raise(size_t key, uint64_t version) { RaiseBits(key, version * 2); }
  void RaiseAbove(size_t key, uint64_t version) { RaiseBits(key, version * 2 + 1); }

 private:
  void RaiseBits(size_t key, uint64_t bits) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    uint64_t floor = floors_[key].load(std::memory_order_relaxed);
    while (floor < bits &&
           !floors_[key].compare_exchange_weak(floor, bits, std::memory_order_relaxed)) {
    }
  }

  std::vector<std::atomic<uint64_t>> floors_;
};

}  // namespace ferrite
