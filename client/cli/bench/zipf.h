#pragma once

// Numbers by Zipf's law: number k of n is drawn with a probability proportional to 1 / k^theta.

#include <cstdint>
#include <random>

namespace ferrite::cli {

// Immutable, hence thread-safe; the generator belongs to the caller. Takes time and memory that do
// not depend on n: it draws by rejection-inversion (Hoermann and Derflinger, 1996), inverting the
// integral of x^-theta, which is so close to the sum that hardly any draw is rejected.
class ZipfSampler {
 public:
  // `count` is at least 1, `theta` above 0.
  ZipfSampler(uint64_t count, double theta);

  // From 0, the most likely, to count - 1.
  template <class Generator>
  uint64_t operator()(Generator& generator) const {
    std::uniform_real_distribution<double> uniform(integral_first_, integral_last_);
    while (true) {
      uint64_t rank;
      if (Accept(uniform(generator), &rank)) return rank - 1;
    }
  }

 private:
  double Density(double x) const;
  double Integral(double x) const;
  double InverseIntegral(double y) const;
  // Turns a point under the integral into a rank, from 1. False if the point lies outside the
  // rank's share.
  bool Accept(double point, uint64_t* rank) const;

  const double count_;
  const double theta_;
  const double integral_first_;
  const double integral_last_;
  // Ranks this close above the inverted point are always within their share.
  const double sure_distance_;
};

}  // namespace ferrite::cli
