#pragma once

// When the calls of an open loop start: at their own times, like those of many independent users,
// whether or not the server keeps up.

#include <chrono>
#include <cstdint>
#include <random>

namespace ferrite::cli {

enum class ArrivalKind {
  kPoisson,   // gaps as between independent users
  kConstant,  // all gaps equal
};

// The times at which calls are to start. Not thread-safe.
class Arrivals {
 public:
  using Clock = std::chrono::steady_clock;

  // `per_second` calls on average, above 0; the first one comes a gap after `start`.
  Arrivals(ArrivalKind kind, double per_second, uint64_t seed, Clock::time_point start);

  Clock::time_point next() const { return next_; }
  // Moves to the one after `next()`.
  void Advance();

 private:
  const ArrivalKind kind_;
  const double mean_gap_ns_;
  std::mt19937_64 generator_;
  std::exponential_distribution<double> gap_;  // with a mean of 1
  const Clock::time_point start_;
  double since_start_ns_ = 0;  // of `next_`; a sum of rounded gaps would drift
  Clock::time_point next_;
};

}  // namespace ferrite::cli
