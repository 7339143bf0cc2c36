#include "client/cli/bench/latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ferrite::cli {
namespace {

constexpr int kSubBucketBits = 7;
constexpr uint64_t kSubBuckets = 1 << kSubBucketBits;

// There is one writer, so that this needs no locked instruction.
void Increment(std::atomic<uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

size_t LatencyBucketOf(uint64_t nanoseconds) {
  const int shift = std::max(0, static_cast<int>(std::bit_width(nanoseconds)) - 1 - kSubBucketBits);
  return shift * kSubBuckets + (nanoseconds >> shift);
}

uint64_t GreatestIn(size_t bucket) {
  if (bucket < 2 * kSubBuckets) return bucket;
  const size_t shift = bucket / kSubBuckets - 1;
  return ((bucket - shift * kSubBuckets + 1) << shift) - 1;
}

void Latencies::Add(const LatencyRecorder& recorder) {
  for (size_t i = 0; i < kLatencyBuckets; ++i) {
    const uint64_t count = recorder.counts_[i].load(std::memory_order_relaxed);
    counts_[i] += count;
    count_ += count;
  }
  max_ns_ = std::max(max_ns_, recorder.max_ns_.load(std::memory_order_relaxed));
}

void Latencies::Add(const Latencies& other) {
  for (size_t i = 0; i < kLatencyBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ns_ = std::max(max_ns_, other.max_ns_);
}

void Latencies::Subtract(const Latencies& earlier) {
  for (size_t i = 0; i < kLatencyBuckets; ++i) counts_[i] -= earlier.counts_[i];
  count_ -= earlier.count_;
}

absl::Duration Latencies::Percentile(double share) const {
  const auto rank = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t i = 0; i < kLatencyBuckets; ++i) {
    seen += counts_[i];
    if (seen != 0 && seen >= rank) return absl::Nanoseconds(std::min(GreatestIn(i), max_ns_));
  }
  return absl::ZeroDuration();
}

void LatencyRecorder::Record(absl::Duration latency) {
  const auto nanoseconds =
      static_cast<uint64_t>(std::max<int64_t>(0, absl::ToInt64Nanoseconds(latency)));
  Increment(counts_[LatencyBucketOf(nanoseconds)]);
  if (nanoseconds > max_ns_.load(std::memory_order_relaxed)) {
    max_ns_.store(nanoseconds, std::memory_order_relaxed);
  }
}

}  // namespace ferrite::cli
