#pragma once

// Latencies in buckets that grow with the value, so that every percentile is known to within 1 % in
// constant memory.
//
// Values below 128 ns have a bucket each; above, every power of two is divided into 128 buckets.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace ferrite::cli {

inline constexpr size_t kLatencyBuckets = 58 * 128;

// The bucket of a value in nanoseconds, and the greatest value in a bucket.
size_t LatencyBucketOf(uint64_t nanoseconds);
uint64_t GreatestIn(size_t bucket);

class LatencyRecorder;

// Counts at one moment. Not thread-safe.
class Latencies {
 public:
  Latencies() : counts_(kLatencyBuckets) {}

  // Adds the counts of `recorder`.
  void Add(const LatencyRecorder& recorder);
  void Add(const Latencies& other);
  // Subtracts `earlier`, a snapshot of the same recorders. The maximum stays.
  void Subtract(const Latencies& earlier);

  uint64_t count() const { return count_; }
  absl::Duration max() const { return absl::Nanoseconds(max_ns_); }

  // The least latency that `share` of all values (above 0, at most 1) do not exceed, rounded up to
  // the end of its bucket, but not above the maximum. Zero when there are no values.
  absl::Duration Percentile(double share) const;

 private:
  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  uint64_t max_ns_ = 0;
};

// Counts while other threads read. One thread records; any may read at the same time.
class LatencyRecorder {
 public:
  void Record(absl::Duration latency);

 private:
  friend class Latencies;

  std::array<std::atomic<uint64_t>, kLatencyBuckets> counts_{};
  std::atomic<uint64_t> max_ns_{0};
};

}  // namespace ferrite::cli
