#pragma once

// Chance, from a seed: the same on every machine, which the standard library's distributions are
// not.

#include <cmath>
#include <cstdint>
#include <vector>

namespace ferrite::simulation {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {  // SplitMix64
    uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  // Of [low, high).
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Next() % static_cast<uint64_t>(high - low));
  }
  size_t Below(size_t count) { return Next() % count; }
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  bool Chance(double probability) { return Unit() < probability; }
  // With this mean; never more than ten times as much.
  int64_t Exponential(int64_t mean) {
    return static_cast<int64_t>(static_cast<double>(mean) *
                                std::min(10.0, -std::log(1.0 - Unit())));
  }
  template <typename T>
  T& Of(std::vector<T>& choices) {
    return choices[Below(choices.size())];
  }

 private:
  uint64_t state_;
};

}  // namespace ferrite::simulation
