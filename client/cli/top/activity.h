#pragma once

// What a server did between two answers to Stats.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ferrite/v1/admin.pb.h"

namespace ferrite::cli {

// A latency, as precise as the server's histogram.
struct Quantile {
  double us = 0;
  bool or_less = false;  // below the first bound, which `us` is
  bool or_more = false;  // beyond the last bound, which `us` is
};

// The value that `share` (above 0, at most 1) of the values do not exceed, by linear interpolation
// within a bucket, as in Prometheus. The first bucket is not interpolated: it would make a server
// that answers in 1 us look as slow as half of the first bound. `counts` has one bucket more than
// there are bounds. Absent if there are no values.
std::optional<Quantile> QuantileOf(const std::vector<double>& bounds_us,
                                   const std::vector<uint64_t>& counts, double share);

// "55 us", "<10 us", ">1.00 s"; "-" if there is none.
std::string QuantileText(const std::optional<Quantile>& quantile);

struct MethodActivity {
  std::string service;          // such as "ferrite.v1.CacheService"
  std::string method;           // such as "Get"; two services may have one of the same name
  double calls_per_second = 0;  // calls that ended; frames of Pipeline
  double errors_per_second = 0;
  double keys_per_second = 0;  // read and written
  double bytes_received_per_second = 0;
  double bytes_sent_per_second = 0;
  std::optional<Quantile> p50;
  std::optional<Quantile> p99;
};

struct Activity {
  absl::Duration interval;
  std::vector<MethodActivity> methods;  // the methods called so far, busiest first
  std::optional<double> hit_ratio;      // absent if nothing was read
  double evictions_per_second = 0;
  double expired_per_second = 0;
  uint64_t slow_calls = 0;
  // The state at the end.
  absl::Duration uptime;
  uint64_t entries = 0;
  uint64_t memory_bytes = 0;
  uint64_t memory_limit_bytes = 0;  // 0: none
  uint64_t connections = 0;
  uint64_t in_flight = 0;
};

// Both answers must be from one server. If it restarted in between, counts are since its start.
Activity ActivityBetween(const v1::StatsResponse& earlier, const v1::StatsResponse& after);

}  // namespace ferrite::cli
