#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "bench/store/workload.h"

namespace ferrite::bench {

// A number in [0, 1).
inline double Fraction(Random& random) {
  return static_cast<double>(random.Next() >> 11) * 0x1p-53;
}

// Picks rank r of n with a probability proportional to 1 / (r + 1)^exponent. Unlike the Zipf of
// workload.h it is exact, and slow: its look-up misses the cache.
class ExactZipf {
 public:
  ExactZipf(size_t ranks, double exponent) {
    sums_.reserve(ranks);
    double sum = 0;
    for (size_t rank = 0; rank < ranks; ++rank) {
      sum += std::pow(static_cast<double>(rank + 1), -exponent);
      sums_.push_back(sum);
    }
  }

  size_t Pick(Random& random) const {
    const double at = Fraction(random) * sums_.back();
    return static_cast<size_t>(std::lower_bound(sums_.begin(), sums_.end(), at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;  // of the weights up to each rank
};

}  // namespace ferrite::bench
