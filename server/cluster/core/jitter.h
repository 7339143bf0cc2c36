#pragma once

// Times that differ from node to node, from a seed.

#include <cstdint>

namespace ferrite::cluster {

class Jitter {
 public:
  explicit Jitter(uint64_t seed) : state_(seed) {}

  uint64_t Next() {  // SplitMix64
    uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  // Not 0, and a positive int64.
  int64_t NextId() { return static_cast<int64_t>(Next() >> 1 | 1); }
  // Of [low, high).
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Next() % static_cast<uint64_t>(high - low));
  }
  // How long to wait before something that has failed is tried again, in nanoseconds.
  int64_t RetryDelayNs() { return Between(100'000'000, 400'000'000); }

 private:
  uint64_t state_;
};

}  // namespace ferrite::cluster
