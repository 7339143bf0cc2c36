#include "client/cli/bench/arrivals.h"

namespace ferrite::cli {

Arrivals::Arrivals(ArrivalKind kind, double per_second, uint64_t seed, Clock::time_point start)
    : kind_(kind), mean_gap_ns_(1e9 / per_second), generator_(seed), start_(start), next_(start) {
  Advance();
}

void Arrivals::Advance() {
  since_start_ns_ +=
      kind_ == ArrivalKind::kConstant ? mean_gap_ns_ : mean_gap_ns_ * gap_(generator_);
  next_ = start_ + std::chrono::nanoseconds(static_cast<int64_t>(since_start_ns_));
}

}  // namespace ferrite::cli
