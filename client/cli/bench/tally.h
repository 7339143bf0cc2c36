#pragma once

// The counts of a run: per thread while it goes on, and their sum at any moment.

#include <array>
#include <atomic>
#include <cstdint>

#include "client/cli/bench/latency.h"

namespace ferrite::cli {

inline constexpr size_t kStatusCodes = 17;  // of gRPC

// The index of a status code in counts of errors. A server may send any number.
inline size_t ErrorIndex(int code) {
  constexpr int kUnknown = 2;
  return code >= 0 && code < static_cast<int>(kStatusCodes) ? code : kUnknown;
}

// One thread's counts for its reads or its writes. One thread counts; any may read at the same
// time.
struct Tally {
  LatencyRecorder latency;                                   // of successful calls
  std::atomic<uint64_t> keys{0};                             // keys that those calls were about
  std::atomic<uint64_t> hits{0};                             // keys read that existed
  std::array<std::atomic<uint64_t>, kStatusCodes> errors{};  // failed calls by status

  // No atomic addition: there is one writer.
  static void Add(std::atomic<uint64_t>& counter, uint64_t amount) {
    counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
};

// All counts of one thread.
struct Tallies {
  Tally reads;
  Tally writes;
  // Frames with both reads and writes, counted as frames; their keys are counted above.
  Tally mixed;
};

// A snapshot of the sum of tallies.
struct Totals {
  Latencies latency;
  uint64_t keys = 0;
  uint64_t hits = 0;
  std::array<uint64_t, kStatusCodes> errors{};

  void Add(const Tally& tally) {
    latency.Add(tally.latency);
    keys += tally.keys.load(std::memory_order_relaxed);
    hits += tally.hits.load(std::memory_order_relaxed);
    for (size_t i = 0; i < kStatusCodes; ++i) {
      errors[i] += tally.errors[i].load(std::memory_order_relaxed);
    }
  }
  void Add(const Totals& other) {
    latency.Add(other.latency);
    keys += other.keys;
    hits += other.hits;
    for (size_t i = 0; i < kStatusCodes; ++i) errors[i] += other.errors[i];
  }

  uint64_t calls() const { return latency.count(); }
  uint64_t failed_calls() const {
    uint64_t sum = 0;
    for (const uint64_t count : errors) sum += count;
    return sum;
  }
};

}  // namespace ferrite::cli
