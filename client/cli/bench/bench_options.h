#pragma once

// What `ferrite bench` is asked to do.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/bench/arrivals.h"
#include "client/credentials.h"

namespace ferrite::cli {

enum class BenchOp { kGet, kSet, kIncr, kMixed };

// How operations travel.
enum class BenchMode {
  kUnary,     // each in a call of its own
  kMGet,      // many in a call: MGet and MSet
  kPipeline,  // many in a frame of a stream
  kAuto,      // as ferrite::Client batches the calls of concurrent callers
};

struct BenchOptions {
  std::string server;                // the one that is asked, where the library is not used
  std::vector<std::string> servers;  // the library's seeds
  TlsOptions tls;                    // of the library
  TokenOptions token;                // likewise
  std::string name_space = {};       // likewise
  Credentials credentials;           // of all else
  absl::Duration call_timeout;

  BenchOp op = BenchOp::kGet;
  // The share of reads when `op` is kMixed.
  double read_ratio = 0.8;
  BenchMode mode = BenchMode::kUnary;
  // Operations in a call or frame; 1 with kUnary.
  int batch = 1;

  int connections = 4;
  // Calls or frames in flight on each connection; with a rate, at most this many.
  int in_flight = 16;
  // Threads that make the calls, each with its own completion queue. Not more than connections.
  int threads = 1;

  uint64_t keys = 100'000;
  int key_size = 16;
  int value_size = 64;
  // Absent: all keys are equally likely. Otherwise Zipf's law with this exponent.
  std::optional<double> zipf_theta;

  // Write every key once before reading.
  bool preload = true;
  absl::Duration warmup = absl::Seconds(1);
  absl::Duration duration = absl::Seconds(10);
  // Calls per second in all, whether or not earlier ones have ended. Absent: each call starts when
  // an earlier one has ended.
  std::optional<double> rate;
  ArrivalKind arrivals = ArrivalKind::kPoisson;
  // Stop after this many calls or frames instead.
  std::optional<uint64_t> count;

  bool reads() const { return op == BenchOp::kGet || op == BenchOp::kMixed; }
};

}  // namespace ferrite::cli
