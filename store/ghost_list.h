#pragma once

// The keys that were evicted of late, by fingerprint: one that comes back soon is worth keeping
// longer.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ferrite {

// Remembers about the last `capacity` hashes, in a four-way table of (fingerprint, time) pairs. It
// may forget a little early and, once in 2^32, take one hash for another; both cost only a better
// or worse choice. Not thread-safe.
class GhostList {
 public:
  // Forgets everything.
  void Reset(size_t capacity);

  void Add(uint32_t hash);
  // Whether `hash` is remembered; if so it is forgotten.
  bool Take(uint32_t hash);

  size_t capacity() const { return capacity_; }
  size_t memory_bytes() const { return cells_.size() * sizeof(Cell); }

 private:
  static constexpr size_t kWays = 4;
  struct Cell {
    uint32_t hash = 0;
    uint32_t time = 0;  // 0: empty
  };
  bool Fresh(const Cell& cell) const { return cell.time != 0 && now_ - cell.time < capacity_; }
  Cell* SetOf(uint32_t hash);

  size_t capacity_ = 0;
  uint32_t now_ = 0;  // counts additions
  std::vector<Cell> cells_;
};

}  // namespace ferrite
