#pragma once

// What `ferrite bench` is asked to do.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "client/cli/bench/arrivals.h"

namespace ferrite::cli {

enum class BenchOp { kGet, kSet, kIncr, kMixed, kMGet };

struct BenchOptions {
  std::string server;
  absl::Duration call_timeout;

  BenchOp op = BenchOp::kGet;
  // The share of reads when `op` is kMixed.
  double read_ratio = 0.8;
  // Keys in a call; above 1, reads are MGet and writes MSet. Incr always takes one.
  int batch = 1;

  int connections = 4;
  // Calls in flight on each connection; with a rate, no more than so many.
  int in_flight = 16;
  // Threads that make the calls, each with its own completion queue. Not more than connections.
  int threads = 1;

  uint64_t keys = 100'000;
  int key_size = 16;
  int value_size = 64;
  // Absent: every key is as likely as any other. Otherwise Zipf's law with this exponent.
  std::optional<double> zipf_theta;

  // Write every key once before reading.
  bool preload = true;
  absl::Duration warmup = absl::Seconds(1);
  absl::Duration duration = absl::Seconds(10);
  // Calls per second in all, started whether or not others have ended. Absent: each call starts
  // when one before it has ended.
  std::optional<double> rate;
  ArrivalKind arrivals = ArrivalKind::kPoisson;
  // Stop after this many calls instead.
  std::optional<uint64_t> count;

  bool reads() const {
    return op == BenchOp::kGet || op == BenchOp::kMGet || op == BenchOp::kMixed;
  }
};

}  // namespace ferrite::cli
