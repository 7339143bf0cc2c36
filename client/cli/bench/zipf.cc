#include "client/cli/bench/zipf.h"

#include <algorithm>
#include <cmath>

namespace ferrite::cli {
namespace {

// (e^t - 1) / t and ln(1 + t) / t, even where t is so close to 0 that the quotient would be noise.
double ExpQuotient(double t) { return std::abs(t) > 1e-8 ? std::expm1(t) / t : 1 + t / 2; }
double LogQuotient(double t) { return std::abs(t) > 1e-8 ? std::log1p(t) / t : 1 - t / 2; }

}  // namespace

ZipfSampler::ZipfSampler(uint64_t count, double theta)
    : count_(static_cast<double>(count)),
      theta_(theta),
      integral_first_(Integral(1.5) - 1),
      integral_last_(Integral(count_ + 0.5)),
      sure_distance_(2 - InverseIntegral(Integral(2.5) - Density(2))) {}

double ZipfSampler::Density(double x) const { return std::exp(-theta_ * std::log(x)); }

// The integral of Density from 1 to x: (x^(1 - theta) - 1) / (1 - theta), and ln x where theta
// is 1.
double ZipfSampler::Integral(double x) const {
  const double log_x = std::log(x);
  return ExpQuotient((1 - theta_) * log_x) * log_x;
}

double ZipfSampler::InverseIntegral(double y) const {
  const double t = std::max(y * (1 - theta_), -1.0);  // rounding may lead to slightly less than -1
  return std::exp(LogQuotient(t) * y);
}

bool ZipfSampler::Accept(double point, uint64_t* rank) const {
  const double x = InverseIntegral(point);
  const double k = std::clamp(std::floor(x + 0.5), 1.0, count_);
  *rank = static_cast<uint64_t>(k);
  return k - x <= sure_distance_ || point >= Integral(k + 0.5) - Density(k);
}

}  // namespace ferrite::cli
